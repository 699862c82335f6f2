import { describe, expect, it } from "vitest";

import { createJobTypes } from "../../src/catalog/job-types.ts";
import { NO_DEFAULTS, type TypeContent } from "../../src/catalog/job-type.ts";
import { SERVER } from "../../src/jobs/audit.ts";
import type { Capability } from "../../src/jobs/ids.ts";
import type { CatalogStore } from "../../src/store/store.ts";
import { ENGINES } from "../support/databases.ts";
import { aJobId } from "../support/job-row.ts";
import { createManualClock } from "../support/manual-clock.ts";
import { ACME } from "../support/store-rows.ts";
import { withStore } from "../support/stores.ts";

const place = { shardId: 0, organizationId: ACME };
const content = (description: string): TypeContent => ({
  description,
  capability: "handler:x" as Capability,
  script: null,
  inputSchema: null,
  defaults: NO_DEFAULTS,
});
const newest = { name: "x", version: 0 };

describe.each(ENGINES)("the types that a server knows, on %s", (engine) => {
  const given = withStore(engine);

  /** A server of its own, on the same database; counts its look-ups. */
  const aServer = () => {
    const clock = createManualClock();
    let reads = 0;
    const catalog: CatalogStore = {
      ...given.store.catalog,
      find: async (...key) => {
        reads += 1;
        return await given.store.catalog.find(...key);
      },
    };
    const changed = async (): Promise<void> => {};
    const types = createJobTypes({ catalog, clock, newId: aJobId, changed });
    const put = async (description: string) =>
      await types.put(place, {
        name: "x",
        content: content(description),
        maxRunning: null,
        by: SERVER,
        validateOnly: false,
      });
    return { types, clock, put, reads: () => reads };
  };
  const anOrganization = async (): Promise<void> => {
    await given.database.execute(
      `DELETE FROM job_types`,
      `DELETE FROM job_type_versions`,
      `INSERT INTO organizations (id, name, created_at) VALUES ('${ACME}', 'acme', 0)`,
    );
  };

  it("cost one look-up for many submissions, also at the same time", async () => {
    await anOrganization();
    const server = aServer();
    await server.put("one");
    const before = server.reads();
    const known = Array.from({ length: 1_000 }, async () => await server.types.known(ACME, newest));
    await Promise.all(known);
    expect(server.reads() - before).toBe(1);
  });

  it("are known anew at once after a change made here, and within 5 s after one made elsewhere", async () => {
    await anOrganization();
    const [here, elsewhere] = [aServer(), aServer()];
    await here.put("one");
    expect(await here.types.known(ACME, newest)).toMatchObject({ version: 1, enabled: true });
    expect(await elsewhere.types.known(ACME, newest)).toMatchObject({ version: 1 });
    await here.put("two");
    await here.types.setEnabled(place, "x", false, SERVER);
    expect(await here.types.known(ACME, newest)).toMatchObject({ version: 2, enabled: false });
    expect(await elsewhere.types.known(ACME, newest)).toMatchObject({ version: 1 });
    elsewhere.clock.advance(5_000);
    expect(await elsewhere.types.known(ACME, newest)).toMatchObject({ version: 2, enabled: false });
  });

  it("that are not there are looked for each time", async () => {
    await anOrganization();
    const [here, elsewhere] = [aServer(), aServer()];
    await expect(elsewhere.types.known(ACME, newest)).rejects.toThrow("There is no job type x.");
    await here.put("one");
    expect(await elsewhere.types.known(ACME, newest)).toMatchObject({ version: 1 });
  });

  it("stay disabled when a version is put by one who saw them enabled", async () => {
    await anOrganization();
    const [here, elsewhere] = [aServer(), aServer()];
    await here.put("one");
    const racing = [
      here.put("two"),
      elsewhere.types.setEnabled(place, "x", false, SERVER),
      here.put("three"),
    ];
    await Promise.all(racing);
    const { type } = await here.types.find(ACME, newest);
    expect(type).toMatchObject({ enabled: false, version: 3 });
  });
});
