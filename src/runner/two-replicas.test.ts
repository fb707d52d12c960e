/**
 * A model of two replicas that drive one run of three effects, explored exhaustively: leases that are taken over at any moment,
 * appends whose answer is lost, processes that die and that wake up late, a person who cancels. It shows that the conditions
 * of an append (store.S1, store.S2) are enough for J1 to J3 with one append a turn (run-actor.A1). Without any of them, it
 * finds the fault.
 */
import { describe, expect, it } from "vitest";

type Kind = "requested" | "started" | "succeeded" | "lost" | "cancelled" | "completed";
interface Entry {
  kind: Kind;
  effect: number;
  attempt: number;
  /** The epoch of the lease that the writer believed to hold, and of the one that was held. */
  epoch: number;
  held: number;
}

interface Replica {
  /** 0: it drives nothing. */
  epoch: number;
  /** The part of the journal that it knows. */
  known: number;
  append: { at: number; epoch: number; entries: Entry[] } | null;
  /** The answer of the store that has not arrived yet. */
  answer: "stored" | "refused" | null;
  /** Effects under way, as `effect/attempt`. */
  working: string[];
  /** Effects that are done here and not journaled. */
  done: string[];
}

interface World {
  journal: Entry[];
  lease: { owner: number; epoch: number; isExpired: boolean };
  replicas: [Replica, Replica];
  deaths: number;
}

interface Guards {
  fence: boolean;
  position: boolean;
  /** Nothing is performed before the store has acknowledged its start. */
  patience: boolean;
}

const effects = 3;
const epochsMax = 3;
const deathsMax = 1;
const idle = (): Replica => ({ epoch: 0, known: 0, append: null, answer: null, working: [], done: [] });

/** The state of effects that a journal leads to. */
function read(journal: readonly Entry[]) {
  const running = new Map<number, number>();
  const attempts = new Map<number, number>();
  let [asked, ended, isOver, isCancelled] = [0, 0, false, false];
  for (const { kind, effect, attempt } of journal) {
    if (kind === "requested") asked = effect;
    if (kind === "started") {
      running.set(effect, attempt);
      attempts.set(effect, attempt);
    }
    if (kind === "lost" || kind === "succeeded") running.delete(effect);
    if (kind === "succeeded") ended = effect;
    if (kind === "cancelled") isCancelled = true;
    if (kind === "completed") isOver = true;
  }
  return { running, attempts, asked, ended, isOver, isCancelled };
}

/** The whole turn: an outcome or a loss, the next request, and its start. */
function turn(journal: readonly Entry[], { epoch, working, done }: Replica): Entry[] {
  const { running, attempts, asked, ended, isOver, isCancelled } = read(journal);
  if (isOver) return [];
  const entry = (kind: Kind, effect: number, attempt: number): Entry => ({ kind, effect, attempt, epoch, held: 0 });
  const [under] = running;
  const isDone = under !== undefined && done.includes(under.join("/"));
  if (under !== undefined && !isDone) {
    // An attempt of another worker, or of this one before its death: adopted as lost, and begun again.
    if (working.includes(under.join("/"))) return [];
    const lost = entry("lost", ...under);
    return isCancelled ? [lost, entry("completed", 0, 0)] : [lost, entry("started", under[0], under[1] + 1)];
  }
  if (isCancelled && under === undefined) return [entry("completed", 0, 0)];
  const outcome = isDone ? [entry("succeeded", ...under)] : [];
  const next = isDone ? under[0] + 1 : Math.max(asked, ended + 1);
  if (next > effects || isCancelled) return [...outcome, entry("completed", 0, 0)];
  const request = next > asked ? [entry("requested", next, 0)] : [];
  return [...outcome, ...request, entry("started", next, (attempts.get(next) ?? 0) + 1)];
}

/** Every world that one step of anybody leads to. */
function* steps(world: World, guards: Guards): Generator<[string, World]> {
  const changed = (change: (copy: World) => void): World => {
    const copy = JSON.parse(JSON.stringify(world)) as World;
    change(copy);
    return copy;
  };
  const { isOver, isCancelled } = read(world.journal);
  // A visitor: it holds no lease, and reads before it writes.
  if (!isOver && !isCancelled && world.journal.length > 0)
    yield [
      "a person cancels",
      changed((copy) => void copy.journal.push({ kind: "cancelled", effect: 0, attempt: 0, epoch: 0, held: 0 })),
    ];
  if (!world.lease.isExpired) yield ["the lease runs out", changed((copy) => void (copy.lease.isExpired = true))];
  for (const index of [0, 1] as const) {
    const own = world.replicas[index];
    const step = (change: (replica: Replica, copy: World) => void): World =>
      changed((copy) => change(copy.replicas[index], copy));
    if (own.epoch === 0 && world.lease.isExpired && world.lease.epoch < epochsMax)
      yield [
        `${index} takes the run`,
        step((replica, copy) => {
          copy.lease = { owner: index, epoch: world.lease.epoch + 1, isExpired: false };
          Object.assign(replica, idle(), { epoch: copy.lease.epoch, known: world.journal.length });
        }),
      ];
    if (own.epoch > 0 && world.deaths < deathsMax)
      yield [
        `${index} dies`,
        step((replica, copy) => {
          Object.assign(replica, idle());
          copy.deaths += 1;
        }),
      ];
    const entries = own.epoch > 0 && own.append === null ? turn(world.journal.slice(0, own.known), own) : [];
    if (entries.length > 0)
      yield [
        `${index} sends ${entries.map(({ kind }) => kind).join(", ")}`,
        step((replica) => {
          replica.append = { at: own.known, epoch: own.epoch, entries };
          if (!guards.patience) replica.working.push(...begun(entries));
        }),
      ];
    const { append } = own;
    if (append !== null && own.answer === null)
      yield [
        `the store answers ${index}`,
        step((replica, copy) => {
          const isHeld = !guards.fence || world.lease.epoch === append.epoch;
          const isNext = !guards.position || world.journal.length === append.at;
          const held = world.lease.epoch;
          if (isHeld && isNext) copy.journal.push(...append.entries.map((entry) => ({ ...entry, held })));
          replica.answer = isHeld && isNext ? "stored" : "refused";
        }),
      ];
    if (append !== null && own.answer !== null) {
      const away = (replica: Replica): void => void Object.assign(replica, idle());
      if (own.answer === "stored")
        yield [
          `${index} hears that it is stored`,
          step((replica) => {
            replica.known = append.at + append.entries.length;
            if (guards.patience) replica.working.push(...begun(append.entries));
            replica.done = replica.done.filter((one) => !append.entries.some((entry) => isOutcome(entry, one)));
            Object.assign(replica, { append: null, answer: null });
          }),
        ];
      // run-actor.A6: refused or unknown, the actor is thrown away with everything that it had under way.
      yield [`${index} hears nothing, or a refusal`, step(away)];
    }
    for (const one of own.working)
      yield [
        `${index} has done ${one}`,
        step((replica) => {
          replica.working = own.working.filter((other) => other !== one);
          replica.done.push(one);
        }),
      ];
  }
}

const begun = (entries: readonly Entry[]): string[] =>
  entries.flatMap(({ kind, effect, attempt }) => (kind === "started" ? [`${effect}/${attempt}`] : []));
const isOutcome = ({ kind, effect, attempt }: Entry, one: string): boolean =>
  kind === "succeeded" && `${effect}/${attempt}` === one;

/** The rule that a world breaks. null: it breaks none. */
function broken({ journal, replicas }: World): string | null {
  const count = (kind: Kind, effect: number): number =>
    journal.filter((entry) => entry.kind === kind && entry.effect === effect).length;
  const started = begun(journal);
  for (const { working, done } of replicas)
    for (const one of [...working, ...done])
      if (!started.includes(one)) return "J1: performed before its start is durable";
  for (const [index, { kind, effect, epoch, held }] of journal.entries()) {
    const before = journal.slice(0, index);
    const has = (wanted: Kind, of: number): boolean =>
      before.some((entry) => entry.kind === wanted && entry.effect === of);
    if (kind === "requested" && effect > 1 && !has("succeeded", effect - 1)) return "J2: asked before the outcome";
    if (kind === "started" && (!has("requested", effect) || has("succeeded", effect))) return "J1: started wrongly";
    if (epoch !== held) return "S2: a former holder goes on";
    const asks = kind === "requested" || kind === "started";
    if (asks && before.some((entry) => entry.kind === "cancelled")) return "S1: new work after a cancel";
    if (before.some((entry) => entry.kind === "completed")) return "an event after the end";
  }
  if (new Set(started).size < started.length) return "J3: one attempt twice";
  for (let effect = 1; effect <= effects; effect += 1)
    if (count("requested", effect) > 1 || count("succeeded", effect) > 1) return "J3: one effect twice";
  return null;
}

interface Visit {
  world: World;
  name: string;
  from: Visit | null;
}

function storyOf({ name, from }: Visit): string {
  return from === null ? name : `${storyOf(from)}; ${name}`;
}

function explore(guards: Guards): { worlds: number; ends: number; fault: string | null } {
  const first: World = {
    journal: [],
    lease: { owner: 0, epoch: 0, isExpired: true },
    replicas: [idle(), idle()],
    deaths: 0,
  };
  const seen = new Set<string>([JSON.stringify(first)]);
  const open: Visit[] = [{ world: first, name: "", from: null }];
  let ends = 0;
  for (let entry = open.pop(); entry !== undefined; entry = open.pop()) {
    const { world } = entry;
    if (read(world.journal).isOver) ends += 1;
    for (const [name, next] of steps(world, guards)) {
      const key = JSON.stringify(next);
      if (seen.has(key)) continue;
      seen.add(key);
      const fault = broken(next);
      if (fault !== null)
        return { worlds: seen.size, ends, fault: `${fault}, after: ${storyOf({ world: next, name, from: entry })}` };
      open.push({ world: next, name, from: entry });
    }
  }
  return { worlds: seen.size, ends, fault: null };
}

describe("two replicas over three effects", () => {
  it("break no rule in any order of events, and come to an end", { timeout: 120_000 }, () => {
    const { worlds, ends, fault } = explore({ fence: true, position: true, patience: true });
    expect(fault).toBeNull();
    expect(worlds).toBeGreaterThan(5_000);
    expect(ends).toBeGreaterThan(100);
  });

  it.each([
    ["the lease as a condition", { fence: false }, /S2/],
    ["the position as a condition", { position: false }, /S1|J\d|after the end/],
    ["waiting for the acknowledgement", { patience: false }, /J1/],
  ])("without %s, the model finds the fault", (_, without, found) => {
    const { fault } = explore({ fence: true, position: true, patience: true, ...without });
    expect(fault).toMatch(found);
  });
});
