/** Many rows of each kind on MariaDB, of which nearly all have ended: what reads must not walk over. */
import type { TestDatabase } from "./databases.ts";

/** Rows of each kind. */
export const MANY = 3_000;

const DIGITS =
  "(SELECT 0 n UNION SELECT 1 UNION SELECT 2 UNION SELECT 3 UNION SELECT 4 UNION SELECT 5 UNION SELECT 6 UNION SELECT 7 UNION SELECT 8 UNION SELECT 9)";

/** `n` is 0 to 2,999. */
const NUMBERS = `(SELECT a.n + 10 * b.n + 100 * c.n + 1000 * d.n AS n FROM ${DIGITS} a, ${DIGITS} b, ${DIGITS} c, (SELECT 0 n UNION SELECT 1 UNION SELECT 2) d) AS numbers`;

const fill = (table: string, columns: Record<string, string>, where = "1 = 1"): string =>
  `INSERT INTO ${table} (${Object.keys(columns).join(", ")}) SELECT ${Object.values(columns).join(", ")} FROM ${NUMBERS} WHERE ${where}`;

const KEY = { shard_id: "0", organization_id: "'acme'" };
const number = "LPAD(n, 5, '0')";

const ROWS = [
  fill("jobs", {
    ...KEY,
    id: `CONCAT('j', ${number})`,
    revision: "n + 1",
    state: "IF(n % 300 = 0, 5, 7 + n % 3)",
    creator_id: "IF(n % 100 = 0, 'ada', 'bob')",
    run_as: "IF(n % 100 = 1, 'ada', 'bob')",
    workflow_id: "IF(n < 1000, CONCAT('w', LPAD(n DIV 10, 5, '0')), '')",
    ended_at: "IF(n % 300 = 0, NULL, n)",
    purge_at: "IF(n % 300 = 0, NULL, IF(n < 1000, 253402300799999, 1000000 + n))",
  }),
  fill("job_specs", { ...KEY, job_id: `CONCAT('j', ${number})`, input: "REPEAT('x', 100)" }),
  fill("job_attempts", {
    ...KEY,
    job_id: `CONCAT('j', ${number})`,
    attempt: "0",
    runner_id: "'r'",
    started_at: "1",
    ended_at: "2",
    outcome: "1",
    result: "'1'",
  }),
  fill("job_labels", {
    ...KEY,
    name: "'team'",
    value: "IF(n % 50 = 0, 'a', 'b')",
    job_id: `CONCAT('j', ${number})`,
  }),
  fill("job_output", {
    ...KEY,
    job_id: `CONCAT('j', LPAD(n DIV 20, 5, '0'))`,
    seq: "n % 20",
    attempt: "1",
    stream: "1",
    text: "'line'",
    written_at: "1",
  }),
  fill("workflows", {
    ...KEY,
    id: `CONCAT('w', ${number})`,
    revision: "n",
    state: "IF(n % 300 = 0, 1, 2 + n % 2)",
    name: "''",
    creator_id: "IF(n % 100 = 0, 'ada', 'bob')",
    request_id: "''",
    step_count: "10",
    ...Object.fromEntries(
      ["succeeded", "failed", "cancelled", "unanswered_failed", "unanswered_cancelled"].map(
        (name) => [name, "0"],
      ),
    ),
    created_at: "n",
    updated_at: "n",
    purge_at: "IF(n % 300 = 0, NULL, 1000000 + n)",
    cancel_reason: "''",
    cancelled_by: "''",
  }),
  fill("workflow_steps", {
    ...KEY,
    workflow_id: `CONCAT('w', LPAD(n DIV 10, 5, '0'))`,
    position: "n % 10",
    name: "CONCAT('s', n)",
    job_id: `CONCAT('j', ${number})`,
  }),
  fill(
    "job_edges",
    {
      ...KEY,
      workflow_id: `CONCAT('w', LPAD(n DIV 10, 5, '0'))`,
      job_id: `CONCAT('j', ${number})`,
      upstream_id: "CONCAT('j', LPAD(n + 1, 5, '0'))",
      on_failure: "1",
    },
    "n % 10 < 9",
  ),
  fill("deliveries", {
    ...KEY,
    id: `CONCAT('d', ${number})`,
    state: "IF(n % 200 = 0, 1, 2)",
    event: "'job.succeeded'",
    job_id: `CONCAT('j', ${number})`,
    attempt: "1",
    hook_id: "IF(n % 2 = 0, 'h', '')",
    url: "'https://a.example/'",
    origin: "IF(n % 200 = 0, IF(n % 400 = 0, 'https://a.example', 'https://b.example'), '')",
    job_type: "''",
    submitted_job_id: "''",
    hook_chain: "''",
    body: "REPEAT('x', 300)",
    schedule_tries: "0",
    tries: "0",
    created_at: "n",
    next_try_at: "IF(n % 200 = 0, n, NULL)",
    last_error: "''",
    purge_at: "IF(n % 200 = 0, NULL, 1000000 + n)",
  }),
  fill("delivery_tries", {
    ...KEY,
    delivery_id: `CONCAT('d', ${number})`,
    try: "1",
    started_at: "1",
    duration_ms: "1",
    status: "200",
    error: "''",
  }),
  fill("metric_points", {
    ...KEY,
    resolution: "1",
    started_at: "60000 * (n DIV 10)",
    type: "CONCAT('t', n % 10)",
    writer: "1",
    ...Object.fromEntries(
      ["submitted", "started", "succeeded", "failed", "cancelled", "retried", "queue_age_ms"].map(
        (name) => [name, "1"],
      ),
    ),
    ...Object.fromEntries(["queue", "run", "total"].map((name) => [name, "''"])),
  }),
  fill("schedules", {
    ...KEY,
    id: `CONCAT('s', ${number})`,
    cron: "'@daily'",
    time_zone: "'UTC'",
    catch_up: "1",
    spec: "'{}'",
    next_fire_at: "IF(n % 10 = 0, NULL, 1000000 + n)",
    created_at: "1",
    changed_at: "1",
  }),
  fill("tokens", {
    id: `CONCAT('t', ${number})`,
    kind: "'user'",
    organization_id: "'acme'",
    user_id: "IF(n % 100 = 0, 'ada', 'bob')",
    hash: "'x'",
    created_at: "n",
    changed_at: "n",
  }),
  fill("audit_log", {
    ...KEY,
    id: `CONCAT('a', ${number})`,
    at: "n",
    action: "'job.submit'",
    subject: "CONCAT('s', n % 500)",
  }),
];

/** Answers when the rows are there, and the database knows how many. */
export const fillWithMany = async (database: TestDatabase): Promise<void> => {
  const tables = new Set(ROWS.map((sql) => sql.split(" ")[2] ?? ""));
  await database.execute(...ROWS, `ANALYZE TABLE ${[...tables].join(", ")}`);
};
