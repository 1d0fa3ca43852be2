// Run in the application's folder: brings its Sequelize models into the scratch database.
//
// Usage: run_sequelize.cjs FILE, a module that exports the Sequelize instance, alone or as `sequelize`.
"use strict";

const path = require("path");
const { pathToFileURL } = require("url");

async function main(file) {
  const exported = await import(pathToFileURL(path.resolve(file)));
  const found = exported.default ?? exported;
  const sequelize = found.sequelize ?? exported.sequelize ?? found;
  if (typeof sequelize.sync !== "function") throw new Error(`${file} exports no Sequelize instance.`);
  if (sequelize.getDialect() !== "postgres") {
    throw new Error(`${file} connects to ${sequelize.getDialect()}, and an expectation needs PostgreSQL.`);
  }
  for (const model of Object.values(sequelize.models)) {
    const { schema } = model.getTableName();
    if (schema) await sequelize.query(`CREATE SCHEMA IF NOT EXISTS ${sequelize.getQueryInterface().quoteIdentifier(schema)}`);
  }
  await sequelize.sync();
  await sequelize.close();
}

main(process.argv[2]).catch((error) => {
  console.error(error);
  process.exit(1);
});
