/**
 * `npm run models:check [YYYY-MM-DD]`: whether a default model retires soon, by today or the given day. Exit code 1: one
 * does.
 */
import {
  modelSources,
  modelTableDate,
  retirementNoticeDays,
  retirementText,
  retiringDefaults,
  tableAgeText,
} from "../src/config/models.ts";

const today = process.argv[2] ?? new Date().toISOString().slice(0, 10);
if (!/^\d{4}-\d{2}-\d{2}$/.test(today)) {
  console.error(
    `"${today}" is not a day. Did you mean \`npm run models:check ${new Date().toISOString().slice(0, 10)}\`?`,
  );
  process.exit(2);
}

const retiring = retiringDefaults(today);
for (const one of retiring) console.log(retirementText(one));
if (retiring.length === 0) console.log(`No default model retires within ${retirementNoticeDays} days of ${today}.`);
const age = tableAgeText(today);
if (age !== null) console.log(age);
console.log(`The table was read on ${modelTableDate}. Check it against:`);
for (const { prices, retirements } of Object.values(modelSources)) console.log(`- ${prices}\n- ${retirements}`);
if (retiring.length > 0 || age !== null) process.exitCode = 1;
