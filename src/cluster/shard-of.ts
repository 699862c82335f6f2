import { crc32 } from "node:zlib";

import type { OrganizationId } from "../jobs/ids.ts";
import type { ShardId } from "../store/store.ts";

/** The shard of an organization, for good: CRC-32 of its id (UTF-8) modulo the number of shards. */
export const shardOf = (organizationId: OrganizationId, shards: number): ShardId =>
  crc32(organizationId) % shards;
