/**
 * Every bound of Baton, each with its unit in the name and its reason beside it. `baton.yaml` may lower some of them.
 * Sources: GitHub's published limits as of November 2026; measurements named in bench/README.md.
 */
export const limits = {
  /** GitHub drops payloads above 25 MB itself. */
  deliveryBytesMax: 25 * 1024 * 1024,
  /** GitHub gives up a delivery after 10 s: a head that is not there by then holds a socket for nobody. */
  requestHeadMs: 10_000,
  /** At shutdown, for requests under way: a delivery takes milliseconds, and the runs still have to be left in order. */
  requestsEndMs: 1_000,
  /** GitHub redelivers with the same GUID for 3 days; kept ten times longer so that a replay is recognised. */
  deliveryRetentionMs: 30 * 24 * 3_600_000,
  /** GitHub's nominal limit is 65,536 characters; the rest is room for markers and the redactor. */
  commentCharactersMax: 60_000,
  /** Counted in UTF-8 bytes by GitHub: 65,535. */
  checkTextBytesMax: 65_000,
  /** GitHub: 80 content writes a minute and 500 an hour. We stay below, others share the installation. */
  contentWritesPerMinuteMax: 60,
  contentWritesPerHourMax: 400,
  /** Edits of what is shown, and reactions: nobody waits for them. The rest is for replies, pull requests and merges. */
  editsPerMinuteMax: 40,
  editsPerHourMax: 120,
  /** Above so many writes of all kinds in an hour no edit is sent. */
  writesPerHourForEditsMax: 280,
  /** Answers to one author in one thread: who may steer works there, a stranger on a public repository is anybody. */
  answersPerHourMax: 60,
  answersToStrangersPerHourMax: 5,
  /** GitHub's longest window is an hour: whoever is told to wait longer asks again then. */
  githubPauseMsMax: 3_600_000,
  /** The status comment changes at most this often while work streams. */
  statusEditIntervalMs: 3_000,
  /** A silent owner of a run is taken over after this: lease 30 s, renewed every 10 s. */
  leaseMs: 30_000,
  leaseRenewMs: 10_000,
  /** Baton's clock and GitHub's: machines that keep their time differ by less. */
  clocksDifferMs: 30_000,
  /** Of a thread in Actions mode, whose every renewal is a push. */
  driverLeaseMs: 10 * 60_000,
  /** Clocks of two machines differ by less: a lease that ends later than its time and this is no lease. */
  leaseSlackMs: 60_000,
  /** A worker elsewhere that is silent for this long has lost its claim. */
  remoteLeaseMs: 45_000,
  /** A cancellation reaches a worker with the next heartbeat: within 10 s. */
  remoteHeartbeatMs: 5_000,
  /** A runner that was asked for and never came: after this another is asked for. */
  remoteClaimMs: 15 * 60_000,
  /** After a cancellation, how long a worker's last words are waited for. */
  remoteLastWordsMs: 30_000,
  /** How often App asks GitHub whether a job that has not claimed yet is over. */
  remoteJobLookMs: 15_000,
  /** How often App asks its store for a remote result. */
  remoteLookMs: 1_000,
  /** How often the App looks for deliveries that it missed; GitHub keeps them for 3 days. */
  deliveryPollIntervalMs: 4 * 60_000,
  /** How often the App looks whether a schedule is due: cron is as fine as a minute. */
  scheduleRoundMs: 30_000,
  /** Rules of schedules are read again this often, should a push have been missed. 300 repositories cost 900 calls an hour. */
  scheduleRulesMs: 3_600_000,
  /** A start that is later than this is called late. The jobs of Actions mode are woken by GitHub, which is late by up to an hour. */
  scheduleLateMs: 5 * 60_000,
  scheduleLateInJobMs: 3_600_000,
  /** Runs that rules of `triggers` start in a repository in an hour, all together: a storm of events costs no more. */
  triggerStartsPerHourMax: 30,
  /** Refused events of one person in an hour that GitHub is asked about: further ones are counted only. */
  triggerRefusalsPerActorMax: 10,
  /** A signed request to `/triggers/<name>`: large enough for any event of another service's that a condition reads. */
  triggerRequestBytesMax: 64 * 1024,
  /** Its time may differ from ours by so much: clocks differ, and a captured request is worth nothing later. */
  triggerRequestMs: 5 * 60_000,
  /** Runs that cause each other through events of bots: a chain that is longer is most likely a loop. */
  triggerDepthMax: 3,
  /** What a bot does this long after a run may still be an answer to it. */
  triggerChainMs: 24 * 3_600_000,
  /** GitHub keeps its delivery log, and sends again on request, for 3 days. */
  deliveryLookBackMs: 3 * 24 * 3_600_000,
  /** A command whose job never ran is carried out this long; later its author has seen that nothing came of it. */
  commandLookBackMs: 24 * 3_600_000,
  /** Writes to GitHub that are done are kept this long: their ids are looked up when a thread goes on. */
  outboxRetentionMs: 90 * 24 * 3_600_000,
  /** A person approves a plan as a whole, and all pairs of a wave's scopes are compared. */
  planStepsMax: 200,
  /** Steps and branches of one workflow or fork: each has its own promises, all of which wait at once. */
  workflowStepsMax: 1_000,
  /** Abandoned workspaces and old rows are looked for this often. */
  garbageIntervalMs: 3_600_000,
  /** From TERM to KILL. */
  killGraceMs: 5_000,
  transcriptBytesMax: 2 * 1024 * 1024,
  transcriptLineBytesMax: 256 * 1024,
  /** What an attempt that ended early leaves of its own words, and of its list of things to do. */
  partialTextCharactersMax: 4_000,
  partialTodoCharactersMax: 2_000,
  /** Of the agent's words in each milestone: the next attempt has it if the worker dies. */
  progressTextCharactersMax: 1_000,
  /** What of a failing job's log goes back to the repair step. */
  ciLogBytesMax: 24 * 1024,
  promptUntrustedCharactersMax: 48_000,
  /** Some agents take their system text as one argument, and Linux ends those at 128 KiB: instructions and plan stay well below. */
  promptInstructionsCharactersMax: 16_000,
  promptPlanCharactersMax: 10_000,
  promptNamesCharactersMax: 2_000,
  /** USD. Less than this is not worth a dispatch: the attempt would stop at its first turn. */
  worthwhileUsd: 0.01,
  /** An answer that may be no longer than this cannot hold a change to a file; a request that asks for less gets what it asks for. */
  usefulOutputTokens: 1_024,
  /** Searches in the web that a request may make which names no bound: Claude Code asks for 8. */
  searchesPerRequest: 10,
  /** More than the largest window of the table of models: what a request can read at most, whatever it refers to. */
  contextTokensMax: 1_100_000,
  /** An image's tokens, at the finest that services offer. */
  imageTokensMax: 16_000,
  /** A model service may ask for a pause of a day; a run waits no longer than this before it looks again. */
  modelPauseMsMax: 3_600_000,
  effectsPerRunMax: 10_000,
  /** Calls of `ctx` between two events: more than twice the effects of a run. A process in a loop gives the others their turn. */
  callsPerTurnMax: 25_000,
  /** Effects that a run may ask for after a cancel, in shielded scopes: cleaning up takes a few, and the person waits. */
  shieldedEffectsMax: 100,
  /** Then the run ends, whatever its clean-up still waits for: a write, its retries, a comment take minutes. */
  shieldedMsDefault: 10 * 60_000,
  /** What a process may ask for: GitHub's longest pause is an hour, and a run that somebody cancelled is over the same day. */
  shieldedMsMax: 6 * 3_600_000,
  attemptsPerEffectMax: 5,
  repairAttemptsDefault: 3,
  reviewRoundsMax: 10,
  parallelEffectsPerRunMax: 8,
  subprocessDepthMax: 4,
  workspaceFilesChangedMax: 2_000,
  /** Names of files that a read-only step changed: enough to see what it was after. */
  discardedPathsMax: 20,
  /** Branches and stashes beside an attempt's result that are named. */
  asideMax: 10,
  /** A cache of packages that nothing used for this long is removed. */
  packageCacheUnusedMs: 30 * 24 * 3_600_000,
  /** Files of a tree that may name a cache of packages. */
  setupPathsMax: 20_000,
  /** Hosts and paths that a sandbox stopped, in the report of one attempt. */
  sandboxDenialsMax: 20,
  workspaceBlobBytesMax: 20 * 1024 * 1024,
  /** A whole import of an agent's commits. */
  importBytesMax: 200 * 1024 * 1024,
  /**
   * A bundle of kept commits in a ref, a third longer there. GitHub blocks files above 100 MiB and warns above 50 MiB:
   * https://docs.github.com/en/repositories/working-with-files/managing-large-files/about-large-files-on-github
   */
  keptRefBytesMax: 36 * 1024 * 1024,
  budgetUsdDefault: 5,
  /** Fractions of the run budget at which the thread is told. */
  budgetWarnings: [0.5, 0.8] as const,
  /** Waiting for required checks before the run says so and stops. */
  ciTimeoutMs: 2 * 3_600_000,
  /** Checks that never appear: after this with no check at all, the gate says that there is no CI. */
  ciAppearMs: 90_000,
} as const;
