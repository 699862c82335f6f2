import { expect, test } from "vitest";

import { Sharing } from "../../src/jobs/sharing.ts";
import { aJobRow } from "../support/job-row.ts";

test("equal values become one value", () => {
  const sharing = new Sharing();
  const [one, other] = [
    sharing.row(aJobRow({ labels: { team: "red", site: "x" } })),
    sharing.row(aJobRow({ labels: { team: "red", site: "x" } })),
  ];
  expect(one.labels).toBe(other.labels);
  expect(one.labels).toEqual({ team: "red", site: "x" });
});

test("rows stay what they were, whatever their labels hold", () => {
  const sharing = new Sharing();
  const texts = ["", "x", "y", "x\nb\ny", "y\nb\nx", "1 1 by", "xb"];
  for (const a of texts) {
    for (const b of texts) {
      for (const labels of [{ a }, { a, b }, { b, a }, { ab: a }]) {
        const row = aJobRow({ labels });
        expect(sharing.row(row)).toEqual(row);
      }
    }
  }
});
