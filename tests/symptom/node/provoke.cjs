// Runs statements that fail through node-postgres and Sequelize and prints each error as people find it in their logs.
'use strict'
const util = require('util')
const { Client } = require('pg')
const { Sequelize } = require('sequelize')

const given = JSON.parse(require('fs').readFileSync(0, 'utf8'))
const { host, user, dbname } = given
const port = Number(given.port || 5432)

const clients = {
  'node-postgres': async (statements) => {
    const client = new Client({ host, port, user, database: dbname })
    await client.connect()
    try {
      for (const statement of statements) await client.query(statement)
    } finally {
      await client.end()
    }
  },
  sequelize: async (statements) => {
    const sequelize = new Sequelize(dbname, user, '', { dialect: 'postgres', host, port, logging: false, pool: { max: 1 } })
    try {
      for (const statement of statements) await sequelize.query(statement)
    } finally {
      await sequelize.close()
    }
  },
}

async function main() {
  for (const [client, run] of Object.entries(clients)) {
    for (const [state, sql] of Object.entries(given.statements)) {
      const error = await run(sql.split('; ')).catch((failure) => failure)
      const styles = {
        inspected: util.inspect(error),
        line: JSON.stringify({ level: 'error', ...error, message: error.message, stack: error.stack }),
        message: `${error.name}: ${error.message}`,
      }
      for (const [style, text] of Object.entries(styles)) console.log(JSON.stringify({ client, state, style, text }))
    }
  }
}

main()
