/** The filter, run on calls the way the kernel runs it. */
import { describe, expect, it } from "vitest";
import { type Instruction, seccompBytes, seccompProgram } from "./seccomp.ts";

const allowed = 0x7fff0000;
const errno = (number: number): number => 0x00050000 | number;
const audit = { x64: 0xc000003e, arm64: 0xc00000b7 };

/** Classic BPF over `struct seccomp_data`. */
function decide(program: readonly Instruction[], call: number, machine: number, words: readonly number[] = []): number {
  const data = new DataView(new ArrayBuffer(64));
  data.setUint32(0, call, true);
  data.setUint32(4, machine, true);
  for (const [index, word] of words.entries()) data.setBigUint64(16 + 8 * index, BigInt(word), true);
  let loaded = 0;
  for (let at = 0; at < program.length; at += 1) {
    const { code, value, whenTrue, whenFalse } = program[at] ?? { code: 0, value: 0, whenTrue: 0, whenFalse: 0 };
    if (code === 0x06) return value;
    if (code === 0x20) loaded = data.getUint32(value, true);
    else if (code === 0x15) at += loaded === value ? whenTrue : whenFalse;
    else if (code === 0x35) at += loaded >= value ? whenTrue : whenFalse;
    else if (code === 0x45) at += (loaded & value) !== 0 ? whenTrue : whenFalse;
    else throw new Error(`unknown instruction ${code}`);
  }
  throw new Error("the program has no end");
}

describe.each([
  ["x64", { read: 0, ptrace: 101, mount: 165, clone: 56, unshare: 272, socket: 41, ioctl: 16, keyctl: 250 }],
  ["arm64", { read: 63, ptrace: 117, mount: 40, clone: 220, unshare: 97, socket: 198, ioctl: 29, keyctl: 219 }],
] as const)("%s", (architecture, calls) => {
  const program = seccompProgram(architecture) ?? [];
  const on = (call: number, ...words: number[]): number => decide(program, call, audit[architecture], words);

  it.each<[string, number, number]>([
    ["reading", on(calls.read, 3), allowed],
    ["tracing its own children", on(calls.ptrace, 16), allowed],
    ["mounting", on(calls.mount), errno(1)],
    ["the kernel's keys", on(calls.keyctl), errno(1)],
    ["io_uring", on(425), errno(38)],
    ["clone3, so that programs fall back to clone", on(435), errno(38)],
    ["a fork", on(calls.clone, 17), allowed],
    ["a thread", on(calls.clone, 0x3d0f00), allowed],
    ["a process in a new user namespace", on(calls.clone, 0x10000000 | 17), errno(1)],
    ["a process in a new mount namespace", on(calls.clone, 0x00020000 | 17), errno(1)],
    ["sharing nothing", on(calls.unshare, 0), allowed],
    ["its own table of files", on(calls.unshare, 0x400), allowed],
    ["a new network namespace", on(calls.unshare, 0x40000000), errno(1)],
    ["a Unix socket", on(calls.socket, 1), allowed],
    ["an IPv6 socket", on(calls.socket, 10), allowed],
    ["a packet socket", on(calls.socket, 17), errno(97)],
    ["a socket to the hypervisor", on(calls.socket, 40), errno(97)],
    ["the size of a terminal", on(calls.ioctl, 0, 0x5413), allowed],
    ["input pushed into a terminal", on(calls.ioctl, 0, 0x5412), errno(1)],
    ["the same with upper bits that the kernel ignores", on(calls.ioctl, 0, 0x100005412), errno(1)],
    ["text pasted into a console", on(calls.ioctl, 0, 0x541c), errno(1)],
    ["another instruction set", decide(program, calls.read, 0x40000003), errno(38)],
  ])("%s", (_, answer, expected) => {
    expect(answer).toBe(expected);
  });

  it("every jump stays in the program, which is short enough for the kernel", () => {
    expect(program.length).toBeLessThan(4096);
    for (const [at, { whenTrue, whenFalse }] of program.entries()) {
      expect(at + 1 + Math.max(whenTrue, whenFalse)).toBeLessThan(program.length + 1);
      expect(Math.max(whenTrue, whenFalse)).toBeLessThan(256);
    }
    expect(seccompBytes(program).length).toBe(program.length * 8);
  });
});

it("numbers of the x32 calls do not go around the filter", () => {
  expect(decide(seccompProgram("x64") ?? [], 0x40000000 | 165, audit.x64)).toBe(errno(38));
});

it("bytes are as the kernel reads them", () => {
  const [first] = [seccompBytes([{ code: 0x15, whenTrue: 1, whenFalse: 2, value: 0x01020304 }])];
  expect([...(first ?? [])]).toEqual([0x15, 0, 1, 2, 4, 3, 2, 1]);
});

it("an unknown processor has no filter", () => {
  expect(seccompProgram("riscv64")).toBeNull();
});
