/** The Action's last step. It loads Baton only if the main step was killed, because most jobs end in order. */
const { STATE_home: home, STATE_owner: owner } = process.env;
// Empty: the main step ended normally.
if (home !== undefined && home !== "" && owner !== undefined) {
  const { freeThread } = await import("./free-thread.ts");
  process.stdout.write(await freeThread(process.env, home, owner));
}
process.exit();

export {};
