/** Two profiles at once: a step's additional profile never allows more than the run's profile. */
import fc from "fast-check";
import { expect, it } from "vitest";
import { bothProfiles, type Profile, readyProfiles } from "./profile.ts";

const profile: fc.Arbitrary<Profile> = fc.record({
  access: fc.constantFrom("read-only", "write"),
  roles: fc.subarray(["plan", "implement", "review"]),
  needs: fc.subarray(["readOnly", "maxUsd"]),
  harnesses: fc.subarray(["codex", "pi", "gemini"]),
  model: fc.constantFrom(null, "strong"),
});
const allows = (list: readonly string[], one: string): boolean => list.length === 0 || list.includes(one);

it("what both allow is allowed, and nothing else", () => {
  fc.assert(
    fc.property(profile, profile, (run, step) => {
      const both = bothProfiles(run, step);
      expect(both.access === "write").toBe(run.access === "write" && step.access === "write");
      for (const role of ["plan", "implement", "review", "verify"])
        expect(allows(both.roles, role)).toBe(allows(run.roles, role) && allows(step.roles, role));
      for (const harness of ["codex", "pi", "gemini", "other"])
        expect(allows(both.harnesses, harness)).toBe(allows(run.harnesses, harness) && allows(step.harnesses, harness));
      expect(both.needs).toEqual(expect.arrayContaining([...run.needs, ...step.needs]));
    }),
  );
});

it("`full` beside another changes nothing", () => {
  const { full, "read-only": readOnly } = readyProfiles;
  expect(bothProfiles(readOnly as Profile, full as Profile)).toEqual(readOnly);
  expect(bothProfiles(full as Profile, readOnly as Profile)).toEqual(readOnly);
});
