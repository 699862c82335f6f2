/**
 * Ways to write many rows to MariaDB, with the tables of Millrace: the reason for what
 * src/store/engines/mysql-writes.ts does. `node bench/store-statements.ts` prints rows per second of one
 * connection, 1,000 rows a transaction, full durability.
 */
import { createConnection, type Connection } from "mysql2/promise";

import { systemClock } from "../src/runtime/clock.ts";
import { systemRandom } from "../src/runtime/random.ts";
import { migrateUp } from "../src/store/migrate.ts";
import { createDatabase } from "../test/support/databases.ts";
import { startMariadb } from "../test/support/mariadb.ts";

type Value = string | number | null;
type Rows = readonly (readonly Value[])[];

const BATCH = 1_000;
const BATCHES = 8;
const TURNS = 8;
const CHUNK = 128;

const KEY = { shard_id: "smallint", organization_id: "varchar(36)", id: "varchar(36)" };
const GIVEN = {
  ...{
    ...KEY,
    revision: "bigint",
    state: "smallint",
    name: "varchar(255)",
    creator_id: "varchar(36)",
  },
  ...{ run_as: "varchar(36)", created_at: "bigint", run_at: "bigint", queued_at: "bigint" },
};
const CHANGED = {
  ...{ ...KEY, revision: "bigint", state: "smallint", run_at: "bigint", queued_at: "bigint" },
  ...{ updated_at: "bigint", started_at: "bigint", ended_at: "bigint", attempt: "int" },
  ...{
    retry_count: "int",
    lost_count: "int",
    runner_id: "varchar(255)",
    lease_token: "varchar(64)",
  },
  ...{ report_seq: "bigint", progress: "double", progress_message: "varchar(1000)" },
  ...{
    current_step: "int",
    total_steps: "int",
    error: "mediumtext",
    cancel_requested_at: "bigint",
  },
  ...{ cancel_reason: "varchar(1000)", output_count: "bigint", cpu_ms: "bigint" },
};
type Types = Readonly<Record<string, string>>;

/** Writes one chunk. */
type Way = (connection: Connection, types: Types, rows: Rows) => Promise<unknown>;

const namesOf = (types: Types): string[] => Object.keys(types);
const marks = (types: Types, rows: Rows): string => {
  const row = `(${namesOf(types)
    .map(() => "?")
    .join()})`;
  return rows.map(() => row).join();
};
const onDuplicate = (types: Types): string =>
  ` ON DUPLICATE KEY UPDATE ${namesOf(types)
    .slice(3)
    .map((name) => `${name} = VALUES(${name})`)
    .join()}`;
const set = (types: Types): string =>
  namesOf(types)
    .slice(3)
    .map((name) => `j.${name} = v.${name}`)
    .join();
const jsonTable = (types: Types): string =>
  `JSON_TABLE(?, '$[*]' COLUMNS (${Object.entries(types)
    .map(([name, type], at) => `${name} ${type} PATH '$[${at}]'`)
    .join()})) v`;
const asAscii = (name: string): string => `CONVERT(v.${name} USING ascii) COLLATE ascii_bin`;
const onKey = `j.shard_id = v.shard_id AND j.organization_id = ${asAscii("organization_id")} AND j.id = ${asAscii("id")}`;

const INSERTS: Readonly<Record<string, Way>> = {
  "prepared INSERT of many rows": async (connection, types, rows) =>
    await connection.execute(
      `INSERT INTO jobs (${namesOf(types).join()}) VALUES ${marks(types, rows)}`,
      rows.flat(),
    ),
  "INSERT as text, escaped by the client": async (connection, types, rows) =>
    await connection.query(`INSERT INTO jobs (${namesOf(types).join()}) VALUES ?`, [rows]),
  "INSERT from one JSON parameter": async (connection, types, rows) =>
    await connection.execute(
      `INSERT INTO jobs (${namesOf(types).join()}) SELECT ${namesOf(types).join()} FROM ${jsonTable(types)}`,
      [JSON.stringify(rows)],
    ),
};

const UPDATES: Readonly<Record<string, Way>> = {
  "prepared upsert of many rows": async (connection, types, rows) =>
    await connection.execute(
      `INSERT INTO jobs (${namesOf(types).join()}) VALUES ${marks(types, rows)}${onDuplicate(types)}`,
      rows.flat(),
    ),
  "upsert as text": async (connection, types, rows) =>
    await connection.query(
      `INSERT INTO jobs (${namesOf(types).join()}) VALUES ?${onDuplicate(types)}`,
      [rows],
    ),
  "UPDATE joined with SELECT ... UNION ALL": async (connection, types, rows) => {
    const first = `SELECT ${namesOf(types)
      .map((name) => `? AS ${name}`)
      .join()}`;
    const rest = ` UNION ALL SELECT ${namesOf(types)
      .map(() => "?")
      .join()}`.repeat(rows.length - 1);
    return await connection.execute(
      `UPDATE (${first}${rest}) v STRAIGHT_JOIN jobs j ON ${onKey} SET ${set(types)}`,
      rows.flat(),
    );
  },
  "UPDATE joined with JSON_TABLE": async (connection, types, rows) =>
    await connection.execute(
      `UPDATE ${jsonTable(types)} STRAIGHT_JOIN jobs j ON ${onKey} SET ${set(types)}`,
      [JSON.stringify(rows)],
    ),
  "one prepared UPDATE a row": async (connection, types, rows) => {
    const changes = namesOf(types)
      .slice(3)
      .map((name) => `${name} = ?`)
      .join();
    const sql = `UPDATE jobs SET ${changes} WHERE shard_id = ? AND organization_id = ? AND id = ?`;
    for (const row of rows) await connection.execute(sql, [...row.slice(3), ...row.slice(0, 3)]);
  },
};

const measure = async (
  connection: Connection,
  types: Types,
  way: Way,
  batches: readonly Rows[],
): Promise<number> => {
  const start = systemClock.monotonic();
  for (const batch of batches) {
    await connection.beginTransaction();
    for (let at = 0; at < batch.length; at += CHUNK) {
      await way(connection, types, batch.slice(at, at + CHUNK));
    }
    await connection.commit();
  }
  return (BATCH * batches.length) / ((systemClock.monotonic() - start) / 1_000);
};

const byKey = (a: readonly Value[], b: readonly Value[]): number =>
  a.slice(0, 3).join() < b.slice(0, 3).join() ? -1 : 1;

const organizations = Array.from({ length: 20 }, () => systemRandom.uuid());
const now = systemClock.now();
const freshBatches = (): Rows[] =>
  Array.from({ length: BATCHES }, (_, revision) =>
    Array.from({ length: BATCH }, (__, at): readonly Value[] => {
      const organization = organizations[at % organizations.length] ?? "";
      const given = [revision, 4, "send a mail", organization, organization, now, now, now];
      return [1, organization, systemRandom.uuid(), ...given];
    }).toSorted(byKey),
  );
const changesOf = (batches: readonly Rows[], round: number): Rows[] =>
  batches.map((batch, at) =>
    batch.map((row) => [
      ...[...row.slice(0, 3), BATCHES * round + at, 5, now, now, now, now, null, 1, 0, 0],
      ...["a runner", "a lease", 0, 0.5, "half way", 0, 0, null, null, "", 0, 0],
    ]),
  );

const server = await startMariadb();
const database = await createDatabase("mysql", server.url);
await migrateUp(database.url);
const connection = await createConnection({ uri: database.url });
await connection.query("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED");
const print = (way: string, perSecond: number): void => {
  console.log(`${way.padEnd(42)} ${Math.round(perSecond).toString().padStart(7)} /s`);
};
/** The best of several rounds in turn: other work on the machine disturbs, it never helps. */
const compare = async (
  ways: Readonly<Record<string, Way>>,
  types: Types,
  batchesOf: (round: number) => readonly Rows[],
): Promise<void> => {
  const best = new Map<string, number>();
  let round = 0;
  for (let turn = 0; turn < TURNS; turn += 1) {
    for (const [name, way] of Object.entries(ways)) {
      round += 1;
      const perSecond = await measure(connection, types, way, batchesOf(round));
      best.set(name, Math.max(perSecond, best.get(name) ?? 0));
    }
  }
  for (const [name, perSecond] of best) print(name, perSecond);
};

await compare(INSERTS, GIVEN, freshBatches);
const batches = freshBatches();
await measure(connection, GIVEN, Object.values(INSERTS)[0] ?? (async () => {}), batches);
await compare(UPDATES, CHANGED, (round) => changesOf(batches, round));
await connection.end();
await database.drop();
await server.stop();
