import assert from "node:assert/strict";
import { tablePrices } from "../prices.ts";
import type { Inventory } from "./inventory.ts";
import { leakReport, leakTable } from "./report.ts";
import type { Bill } from "./types.ts";

const NOW = Date.parse("2026-06-30T12:00:00Z");

function inventory(bills: readonly (Bill | undefined)[]): Inventory {
  return {
    scope: { cluster: "dynamo", region: "us-west-2" },
    blind: [],
    leaks: bills.map((bill, index) => ({
      belonging: "own",
      why: "tag dynamo-eks/cluster=dynamo",
      resource: {
        kind: "volume",
        id: `id-${index}`,
        name: `id-${index}`,
        tags: {},
        created: NOW - 72 * 3.6e6,
        ...(bill === undefined ? {} : { bill }),
      },
    })),
  };
}

function report(bills: readonly (Bill | undefined)[], region = "us-west-2") {
  return leakReport(inventory(bills), {
    account: "123456789012",
    prices: tablePrices(region),
    now: NOW,
  });
}

Deno.test("costs are of a month, and the sum is of what is known", () => {
  const { leaks, usdPerMonth, complete, billable } = report([
    { of: "nat-gateway" },
    { of: "public-ipv4" },
    { of: "file-system", gigabytes: 100 },
    { of: "unknown", note: "billed by use" },
    undefined,
  ]);
  assert.deepEqual(leaks.map((one) => one.usdPerMonth), [32.85, 3.65, 30, null, 0]);
  assert.equal(usdPerMonth, 66.5);
  assert.equal(complete, false);
  assert.equal(billable, 4);
});

Deno.test("prices that are not known are told as such", () => {
  const { leaks: [row] } = report([{ of: "nat-gateway" }], "sa-east-1");
  assert.equal(row?.usdPerMonth, null);
  assert.equal(row?.note, "price unknown for sa-east-1");
});

Deno.test("the table has the dearest first, with age and a sum", () => {
  const rows = leakTable(report([undefined, { of: "public-ipv4" }, { of: "nat-gateway" }]));
  assert.deepEqual(rows.map((row) => row[3]), ["USD/MONTH", "32.85", "3.65", "0.00", "36.50"]);
  assert.equal(rows[1]?.[2], "3 d");
});
