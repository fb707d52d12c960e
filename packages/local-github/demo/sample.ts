/** The demo's repository: a small library with a wrong sum, a test that shows it, and a CI that runs the test. */
const test = [
  'import assert from "node:assert/strict";',
  'import { test } from "node:test";',
  'import { total } from "./cart.js";',
  "",
  'test("adds the prices of all items", () => {',
  "  assert.equal(total([{ price: 2, count: 1 }, { price: 3, count: 2 }]), 8);",
  "});",
  "",
  'test("an empty cart costs nothing", () => {',
  "  assert.equal(total([]), 0);",
  "});",
  "",
].join("\n");

export const sampleFiles: Record<string, string> = {
  "README.md": "# shop\n\nPrices of carts.\n",
  "package.json": `${JSON.stringify({ name: "shop", version: "1.0.0", type: "module", scripts: { test: "node --test" } }, null, 2)}\n`,
  "cart.js":
    "export function total(items) {\n  return items.map((item) => item.price).reduce((sum, price) => sum + price);\n}\n",
  "cart.test.js": test,
};

export const sampleIssue = {
  title: "The total ignores how many of each item there are",
  body: "`total([{ price: 2, count: 1 }, { price: 3, count: 2 }])` gives 5, but it should be 8. An empty cart throws, too.",
};

const report = (intent: string, decisions: string, risks: string, verification: string, title?: string): string =>
  `${title === undefined ? "" : `### Title\n${title}\n\n`}### Intent\n${intent}\n\n### Decisions\n${decisions}\n\n### Risks\n${risks}\n\n### Verification\n${verification}\n`;

/** A planner's answer: words, and the steps that Baton reads. */
export function planOf(
  words: string,
  steps: readonly object[] = [{ id: "all", title: "Do it", effort: "small", risk: "low" }],
): string {
  return `${words}\n\n\`\`\`json\n${JSON.stringify({ steps })}\n\`\`\`\n`;
}

/** The scripted agent first forgets the empty cart, so that the demo also shows the repair of red checks. */
export const sampleScript = {
  plan: [
    {
      text: planOf(
        "The sum in `cart.js` adds prices without counts, and `reduce` has no initial value.\n\n`cart.test.js` already shows both.",
        [
          { id: "count", title: "Multiply price by count", effort: "small", risk: "low" },
          { id: "empty", title: "Begin the sum at 0", effort: "small", risk: "low", dependsOn: ["count"] },
        ],
      ),
      usage: { input: 1_200, output: 240, cacheRead: 3_000, cacheWrite: 900, costUsd: 0.0115 },
    },
  ],
  implement: [
    {
      files: {
        "cart.js":
          "export function total(items) {\n  return items.map((item) => item.price * item.count).reduce((sum, price) => sum + price);\n}\n",
      },
      text: report(
        "The total counts each item as often as it is in the cart.",
        "- Multiply price by count.",
        "- None known.",
        "- Read `cart.test.js`; the tests were not run.",
        "Count each item in the total",
      ),
      usage: { input: 2_400, output: 610, cacheRead: 8_000, cacheWrite: 1_500, costUsd: 0.0242 },
    },
  ],
  repair: [
    {
      files: {
        "cart.js":
          "export function total(items) {\n  return items.map((item) => item.price * item.count).reduce((sum, price) => sum + price, 0);\n}\n",
      },
      text: report(
        "The total counts each item as often as it is in the cart; an empty cart costs nothing.",
        "- Multiply price by count.\n- Begin the sum at 0, so that an empty cart has a total.",
        "- None known.",
        "- `node --test`: 2 pass.",
      ),
      usage: { input: 3_100, output: 380, cacheRead: 9_500, cacheWrite: 700, costUsd: 0.0201 },
    },
  ],
  address: [
    {
      files: {
        "README.md": "# shop\n\nPrices of carts: `total(items)` adds price times count; an empty cart costs 0.\n",
      },
      text: report(
        "The README says what the total is.",
        "- One line in the README.",
        "- None.",
        "- `node --test`: 2 pass.",
      ),
      usage: { input: 1_800, output: 200, cacheRead: 9_000, cacheWrite: 300, costUsd: 0.0112 },
    },
  ],
};
