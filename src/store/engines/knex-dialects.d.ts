/** knex has no types for its dialects, which is where a driver of one's own goes in. */
declare module "knex/lib/dialects/better-sqlite3/index.js" {
  import type { Knex } from "knex";
  class BetterSqlite3Client extends Knex.Client {
    _driver(): unknown;
    _query(connection: unknown, query: object): Promise<object>;
  }
  export default BetterSqlite3Client;
}

declare module "knex/lib/dialects/mysql2/index.js" {
  import type { Knex } from "knex";
  class Mysql2Client extends Knex.Client {
    _query(connection: unknown, query: object): Promise<object>;
  }
  export default Mysql2Client;
}
