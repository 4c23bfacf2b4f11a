import assert from "node:assert/strict";
import { testContext } from "../cli/testing.ts";
import { livePrices } from "./live_prices.ts";
import { openAws } from "./session.ts";

/** A product as the price list has it. */
function product(usagetype: string, usd: string): string {
  return JSON.stringify({
    product: { attributes: { usagetype } },
    terms: {
      OnDemand: { a: { priceDimensions: { b: { unit: "Hrs", pricePerUnit: { USD: usd } } } } },
    },
  });
}

Deno.test(
  "the price list's prices take the place of the table's",
  { sanitizeResources: false, sanitizeOps: false },
  async () => {
    const asked: string[] = [];
    const server = Deno.serve(
      { port: 0, hostname: "127.0.0.1", onListen: () => {} },
      async (request) => {
        const { ServiceCode, Filters, NextToken } = await request.json();
        asked.push(`${ServiceCode} ${JSON.stringify(Filters)}`);
        if (ServiceCode === "AmazonEKS" && NextToken === undefined) {
          return Response.json({ PriceList: [product("EUC1-Other", "9")], NextToken: "more" });
        }
        if (ServiceCode === "AmazonEKS") {
          return Response.json({
            PriceList: [
              product("EUC1-AmazonEKS-Hours:perCluster", "0.11"),
              product("EUC1-AmazonEKS-Hours:extendedSupport", "0.61"),
            ],
          });
        }
        const text = JSON.stringify(Filters);
        return Response.json({
          PriceList: text.includes("NAT Gateway")
            ? [product("EUC1-NatGateway-Bytes", "0.9"), product("EUC1-NatGateway-Hours", "0.052")]
            : text.includes("g5.2xlarge")
            ? [
              product("EUC1-BoxUsage:g5.2xlarge", "0"),
              product("EUC1-BoxUsage:g5.2xlarge", "1.515"),
            ]
            : [],
        });
      },
    );
    try {
      await using made = await testContext({
        env: {
          AWS_ENDPOINT_URL: `http://127.0.0.1:${server.addr.port}`,
          AWS_ACCESS_KEY_ID: "a",
          AWS_SECRET_ACCESS_KEY: "b",
        },
      });
      const aws = await openAws(made.ctx, { region: "eu-central-1" });
      const prices = await livePrices(aws, {
        instanceTypes: ["g5.2xlarge", "m5.large"],
        now: Date.parse("2026-09-09"),
      });
      assert.equal(prices.table.controlPlane, 0.11);
      assert.equal(prices.table.controlPlaneExtended, 0.61);
      assert.equal(prices.table.natGateway, 0.052);
      assert.equal(prices.table.publicIpv4, 0.005, "the same everywhere, where the list is silent");
      assert.equal(prices.table.vpcEndpoint, undefined);
      assert.equal(prices.instance("g5.2xlarge"), 1.515);
      assert.equal(prices.instance("m5.large"), undefined);
      assert.deepEqual([prices.asOf, prices.source], ["2026-09-09", "price list"]);
      assert.ok(asked.every((one) => one.includes(`"Value":"eu-central-1"`)));
    } finally {
      await server.shutdown();
    }
  },
);
