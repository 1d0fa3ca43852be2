// Loaded into every Node process of the application: node-postgres connects to the scratch database, whatever the
// application's configuration says.
"use strict";

const Module = require("module");

const load = Module._load;
const landed = new WeakSet();

Module._load = function (...request) {
  const loaded = load.apply(this, request);
  const client = loaded && typeof loaded === "object" && loaded.defaults && loaded.Client;
  if (client && client.prototype && client.prototype.connect && !landed.has(client)) {
    landed.add(client);
    land(client);
  }
  return loaded;
};

function land(Client) {
  const connect = Client.prototype.connect;
  Client.prototype.connect = function (...rest) {
    const own = new Client({
      host: process.env.PGHOST,
      port: process.env.PGPORT,
      user: process.env.PGUSER,
      database: process.env.PGDATABASE,
      options: this.connectionParameters.options, // what the session is to start with, such as a search_path
      ssl: false,
    });
    for (const name of ["connectionParameters", "host", "port", "user", "database", "ssl"]) this[name] = own[name];
    this.connection.ssl = false;
    return connect.apply(this, rest);
  };
}
