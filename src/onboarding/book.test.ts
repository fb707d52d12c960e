import { expect, it } from "vitest";
import {
  emptySetupBook,
  endOfTraits,
  endWords,
  nextSetup,
  type SetupBook,
  type SetupEnd,
  waiting,
  withArrived,
  withEnd,
  withFailure,
  withGone,
  withRevived,
} from "./book.ts";

const day = 24 * 3_600_000;
const noon = Date.parse("2026-03-01T12:00:00Z");
const rules = { atInstall: true, perDay: 2 };
const arrived = (ids: readonly number[], { book = emptySetupBook, at = noon, asked = false } = {}): SetupBook =>
  withArrived(book, { installationId: 7, repositories: ids.map((id) => ({ id, name: `r${id}` })), at, asked });

/** Opens whatever may be opened now. */
function serve(book: SetupBook, now: number, given = rules): { book: SetupBook; opened: number[] } {
  const opened: number[] = [];
  let after = book;
  for (let next = nextSetup(after, now, given); next !== null; next = nextSetup(after, now, given)) {
    opened.push(next.id);
    after = withEnd(after, next.id, { end: "opened", at: now, pullRequest: 10 + next.id });
  }
  return { book: after, opened };
}

it("at most N a day of an account, the rest on the next days, in order of arrival; the day ends at midnight UTC", () => {
  const first = serve(arrived([5, 3, 9, 4, 8]), noon);
  expect(first.opened).toEqual([3, 4]);
  expect(serve(first.book, Date.parse("2026-03-01T23:59:59Z")).opened).toEqual([]);
  const second = serve(first.book, Date.parse("2026-03-02T00:00:00Z"));
  expect(second.opened).toEqual([5, 8]);
  // A repository that came in earlier goes first, whatever its id.
  const later = arrived([1], { book: second.book, at: noon + day });
  expect(serve(later, noon + 2 * day).opened).toEqual([9, 1]);
});

it("the operator's number for an account takes precedence over the setting", () => {
  expect(serve({ ...arrived([1, 2, 3, 4]), perDay: 3 }, noon).opened).toEqual([1, 2, 3]);
});

it.each<SetupEnd>(["opened", "declined", "set-up"])(
  "%s: no second pull request, however often it is installed",
  (end) => {
    const book = withEnd(arrived([1]), 1, { end, at: noon, pullRequest: 2 });
    const again = withRevived(arrived([1], { book, at: noon + day, asked: true }), {
      ends: ["archived", "empty", "gone", "refused"],
      at: noon + day,
    });
    expect(nextSetup(again, noon + day, rules)).toBeNull();
  },
);

it.each<SetupEnd>(["archived", "disabled", "empty", "fork", "template", "gone", "refused"])(
  "%s: uses up nothing of the day, and is looked at again when it arrives again",
  (end) => {
    const book = withEnd(arrived([1, 2, 3]), 1, { end, at: noon });
    expect(serve(book, noon).opened).toEqual([2, 3]);
    expect(serve(arrived([1], { book: serve(book, noon).book, at: noon + day }), noon + day).opened).toEqual([1]);
    expect(endWords[end].length).toBeGreaterThan(10);
  },
);

it("the first push to an empty repository lets it wait again, and no other", () => {
  let book = arrived([1, 2]);
  for (const id of [1, 2]) book = withEnd(book, id, { end: "empty", at: noon });
  expect(serve(withRevived(book, { ends: ["empty"], id: 2, at: noon }), noon).opened).toEqual([2]);
});

it("what an operator asked for is opened although the installation opens nothing", () => {
  const book = arrived([2], { book: arrived([1]), asked: true });
  expect(serve(book, noon, { ...rules, atInstall: false }).opened).toEqual([2]);
});

it("a failure of GitHub makes one repository wait longer each time, and holds up no other", () => {
  const book = withFailure(arrived([1, 2]), 1, noon);
  expect(serve(book, noon).opened).toEqual([2]);
  expect(nextSetup(book, noon + 5 * 60_000, rules)?.id).toBe(1);
  const twice = withFailure(book, 1, noon);
  expect(nextSetup(withEnd(twice, 2, { end: "empty", at: noon }), noon + 6 * 60_000, rules)).toBeNull();
});

it("an uninstalled App opens nothing; what it opened before stays known", () => {
  const { book } = serve(arrived([1, 2, 3]), noon);
  const gone = withGone(book, { installationId: 7, ids: null, at: noon });
  expect(waiting(gone, rules)).toEqual([]);
  expect(Object.values(gone.entries).map(({ end }) => end)).toEqual(["opened", "opened", "gone"]);
  expect(
    waiting(withGone(arrived([1, 2]), { installationId: 7, ids: [2], at: noon }), rules).map(({ id }) => id),
  ).toEqual([1]);
  expect(waiting(withGone(arrived([1]), { installationId: 8, ids: null, at: noon }), rules)).toHaveLength(1);
});

it.each([
  [{ archived: true, fork: true }, "archived"],
  [{ disabled: true }, "disabled"],
  [{ fork: true, template: true }, "fork"],
  [{ template: true }, "template"],
  [{}, null],
] as const)("%o: %s", (traits, end) => {
  expect(endOfTraits({ archived: false, disabled: false, fork: false, template: false, ...traits })).toBe(end);
});
