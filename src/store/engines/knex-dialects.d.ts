/** knex has no types for its dialects, which is where a driver of one's own goes in. */
declare module "knex/lib/dialects/better-sqlite3/index.js" {
  import { knex } from "knex";
  class BetterSqlite3Client extends knex.Client {
    _driver(): unknown;
    _query(connection: unknown, query: object): Promise<object>;
  }
  export default BetterSqlite3Client;
}

declare module "knex/lib/dialects/mysql2/index.js" {
  import { knex } from "knex";
  class Mysql2Client extends knex.Client {
    _query(connection: unknown, query: object): Promise<object>;
  }
  export default Mysql2Client;
}
