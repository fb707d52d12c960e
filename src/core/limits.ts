/**
 * Every bound of Baton: its name contains the unit, and the reason stands next to it. `baton.yaml` may lower some
 * bounds.
 * Sources: GitHub's published limits as of November 2026, and measurements named in bench/README.md.
 */
export const limits = {
  /** GitHub drops payloads above 25 MB itself. */
  deliveryBytesMax: 25 * 1024 * 1024,
  /** GitHub gives up on a delivery after 10 s. Without a head by then, the socket is useless. */
  requestHeadMs: 10_000,
  /** For requests under way at shutdown. A delivery takes milliseconds, and Baton still has to release its runs. */
  requestsEndMs: 1_000,
  /** GitHub redelivers with the same GUID for 3 days. Baton keeps it ten times longer to recognize a replay. */
  deliveryRetentionMs: 30 * 24 * 3_600_000,
  /** GitHub's nominal limit is 65,536 characters. The rest is room for markers and the redactor. */
  commentCharactersMax: 60_000,
  /** GitHub counts UTF-8 bytes: 65,535. */
  checkTextBytesMax: 65_000,
  /**
   * GitHub allows 80 content writes a minute and 500 an hour. Baton stays below, because other clients share the
   * installation.
   */
  contentWritesPerMinuteMax: 60,
  contentWritesPerHourMax: 400,
  /** Edits of shown text, and reactions: nobody waits for them. The rest is for replies, pull requests and merges. */
  editsPerMinuteMax: 40,
  editsPerHourMax: 120,
  /** Above this number of writes in an hour, of any kind, Baton sends no edit. */
  writesPerHourForEditsMax: 280,
  /**
   * Answers to one author in one thread. A person who may steer runs works there; a stranger on a public repository may
   * be anybody.
   */
  answersPerHourMax: 60,
  answersToStrangersPerDayMax: 1,
  reactionsToStrangersPerDayMax: 5,
  /** GitHub's longest window is an hour. After a longer `retry-after`, Baton asks again at that time. */
  githubPauseMsMax: 3_600_000,
  /** The status comment changes at most this often while work streams. */
  statusEditIntervalMs: 3_000,
  /** Another worker takes over a silent owner's run after this time: lease 30 s, renewed every 10 s. */
  leaseMs: 30_000,
  leaseRenewMs: 10_000,
  /** Baton's clock and GitHub's clock: synchronized machines differ by less. */
  clocksDifferMs: 30_000,
  /** For a thread in Actions mode, where every renewal is a push. */
  driverLeaseMs: 10 * 60_000,
  /** Clocks of two machines differ by less. A lease that ends later than its time plus this slack is invalid. */
  leaseSlackMs: 60_000,
  /** A remote worker that is silent for this time loses its claim. */
  remoteLeaseMs: 45_000,
  /** A cancellation reaches a worker with the next heartbeat: within 10 s. */
  remoteHeartbeatMs: 5_000,
  /** If a requested runner does not arrive within this time, Baton requests another. */
  remoteClaimMs: 15 * 60_000,
  /** How long Baton waits for a worker's last words after a cancellation. */
  remoteLastWordsMs: 30_000,
  /** How often the App asks GitHub whether a job without a claim has ended. */
  remoteJobLookMs: 15_000,
  /** How often the App asks its store for a remote result. */
  remoteLookMs: 1_000,
  /** How often the App checks for missed deliveries. GitHub keeps them for 3 days. */
  deliveryPollIntervalMs: 4 * 60_000,
  /** How often the App checks whether a schedule is due: the resolution of cron is a minute. */
  scheduleRoundMs: 30_000,
  /**
   * How often Baton reads the rules of schedules again, in case of a missed push. 300 repositories cost 900 calls an
   * hour.
   */
  scheduleRulesMs: 3_600_000,
  /** The dashboard issue shows a change of active runs after at most this time. Each look costs calls. */
  dashboardRefreshMs: 5 * 60_000,
  /** A later start counts as late. GitHub wakes the jobs of Actions mode, with a delay of up to an hour. */
  scheduleLateMs: 5 * 60_000,
  scheduleLateInJobMs: 3_600_000,
  /**
   * The number of runs that `triggers` rules start in a repository in an hour, in total. It bounds the cost of a storm
   * of events.
   */
  triggerStartsPerHourMax: 30,
  /** Refused events of one person in an hour for which Baton asks GitHub. Baton only counts further ones. */
  triggerRefusalsPerActorMax: 10,
  /** A signed request to `/triggers/<name>`: large enough for another service's event that a condition reads. */
  triggerRequestBytesMax: 64 * 1024,
  /**
   * The request's time may differ from ours by this much. Clocks differ, and a captured request must become worthless.
   */
  triggerRequestMs: 5 * 60_000,
  /** Runs that cause each other through events of bots. A longer chain is most likely a loop. */
  triggerDepthMax: 3,
  /** A bot's action within this time after a run may still be an answer to it. */
  triggerChainMs: 24 * 3_600_000,
  /** A request to the HTTP API is a few fields. Texts have the length of a comment. */
  apiBodyBytesMax: 256 * 1024,
  apiBodyMs: 10_000,
  apiQueryValueCharactersMax: 200,
  /** Requests of one client in a minute, in one process. A dashboard of one person needs far fewer. */
  apiRequestsPerMinuteMax: 600,
  /** Each write also writes to GitHub, from a limit that all clients share. */
  apiWritesPerMinuteMax: 30,
  /**
   * Refused tokens from one address in a minute. Valid tokens still pass: behind a proxy, all clients have one address.
   */
  apiRefusalsPerMinuteMax: 60,
  /** Steps of sign-ins from one address in a minute. Each may ask GitHub. */
  apiSignInsPerMinuteMax: 120,
  apiPageMax: 200,
  /** Runs that one request for a page looks at. A person may see one run of thousands. */
  apiRowsPerPageMax: 2_000,
  /** Repositories that one request asks GitHub about. */
  apiRepositoriesPerPageMax: 100,
  /** Remembered `Idempotency-Key`s of one client. */
  apiKeysMax: 200,
  apiTokensMax: 500,
  apiTokenDaysMax: 366,
  /** Open event streams of one client, and of one process. */
  apiStreamsPerClientMax: 20,
  apiStreamsMax: 2_000,
  /** A stream that is this far behind ends. Its client continues from the last event that it read. */
  apiStreamBehindBytesMax: 1024 * 1024,
  apiStreamBehindMs: 10_000,
  /** A proxy cuts a connection that is silent. Baton also asks for the permission of a stream's person again. */
  apiStreamBeatMs: 15_000,
  apiSessionsMax: 1_000,
  /** Open sessions of one person. A new one ends the oldest, and nobody else's. */
  apiSessionsPerPersonMax: 5,
  /** A one-time link of the terminal, and the session that it opens. */
  apiLinkMs: 5 * 60_000,
  apiSessionMs: 12 * 3_600_000,
  /** GitHub keeps its delivery log for 3 days, and redelivers on request. */
  deliveryLookBackMs: 3 * 24 * 3_600_000,
  /**
   * Baton still carries out a command within this time if its job never ran. Later its author has noticed the missing
   * answer.
   */
  commandLookBackMs: 24 * 3_600_000,
  /** How long Baton keeps completed writes to GitHub. It needs their ids when a thread continues. */
  outboxRetentionMs: 90 * 24 * 3_600_000,
  /** A person approves a plan as a whole, and Baton compares all pairs of a wave's scopes. */
  planStepsMax: 200,
  /** Steps and branches of one workflow or fork. Each has its own promises, all pending at once. */
  workflowStepsMax: 1_000,
  /** How often Baton looks for repositories that wait for their set-up pull request: the day's number is reached rarely. */
  onboardingRoundMs: 10 * 60_000,
  /** How often Baton looks for abandoned workspaces and old rows. */
  garbageIntervalMs: 3_600_000,
  /** Time from TERM to KILL. */
  killGraceMs: 5_000,
  transcriptBytesMax: 2 * 1024 * 1024,
  transcriptLineBytesMax: 256 * 1024,
  /** Length of the agent's last words, and of its task list, that an unfinished attempt keeps. */
  partialTextCharactersMax: 4_000,
  partialTodoCharactersMax: 2_000,
  /** Length of the agent's words in each milestone. The next attempt gets them if the worker dies. */
  progressTextCharactersMax: 1_000,
  /** Size of the failing job's log that the repair step gets. */
  ciLogBytesMax: 24 * 1024,
  promptUntrustedCharactersMax: 48_000,
  /**
   * Some agents pass their system text as one argument, and Linux limits arguments to 128 KiB. Instructions and plan
   * stay well below.
   */
  promptInstructionsCharactersMax: 16_000,
  promptPlanCharactersMax: 10_000,
  promptNamesCharactersMax: 2_000,
  /** USD. A smaller amount is not worth a dispatch: the attempt would stop at its first turn. */
  worthwhileUsd: 0.01,
  /** A shorter answer cannot contain a file change. A request that asks for less gets that lower limit. */
  usefulOutputTokens: 1_024,
  /** Web searches that a request without a bound may make: Claude Code asks for 8. */
  searchesPerRequest: 10,
  /** More than the largest window in the table of models. A request cannot read more, whatever it refers to. */
  contextTokensMax: 1_100_000,
  /** An image's tokens, at the finest resolution of the services. */
  imageTokensMax: 16_000,
  /** A model service may ask for a pause of a day. A run checks again after this time at the latest. */
  modelPauseMsMax: 3_600_000,
  effectsPerRunMax: 10_000,
  /**
   * Calls of `ctx` between two events: more than twice the effects of a run. It keeps a looping process from blocking
   * the others.
   */
  callsPerTurnMax: 25_000,
  /** Effects that a run may ask for in shielded scopes after a cancel. Clean-up needs few, and the person waits. */
  shieldedEffectsMax: 100,
  /**
   * The run ends after this time, even if its clean-up still waits. A write, its retries and a comment take minutes.
   */
  shieldedMsDefault: 10 * 60_000,
  /**
   * The longest time that a process may ask for. GitHub's longest pause is an hour, and a cancelled run ends the same
   * day.
   */
  shieldedMsMax: 6 * 3_600_000,
  attemptsPerEffectMax: 5,
  repairAttemptsDefault: 3,
  reviewRoundsMax: 10,
  parallelEffectsPerRunMax: 8,
  subprocessDepthMax: 4,
  workspaceFilesChangedMax: 2_000,
  /** Names of files that a read-only step changed: enough to show its intent. */
  discardedPathsMax: 20,
  /** The number of branches and stashes outside an attempt's result that Baton names. */
  asideMax: 10,
  /** Baton removes a package cache that was unused for this time. */
  packageCacheUnusedMs: 30 * 24 * 3_600_000,
  /** Files of a tree that may name a package cache. */
  setupPathsMax: 20_000,
  /** Hosts and paths that a sandbox blocked, in the report of one attempt. */
  sandboxDenialsMax: 20,
  workspaceBlobBytesMax: 20 * 1024 * 1024,
  /** Size of a whole import of an agent's commits. */
  importBytesMax: 200 * 1024 * 1024,
  /**
   * Size of a bundle of kept commits in a ref, which stores it a third larger. GitHub blocks files above 100 MiB and
   * warns above 50 MiB:
   * https://docs.github.com/en/repositories/working-with-files/managing-large-files/about-large-files-on-github
   */
  keptRefBytesMax: 36 * 1024 * 1024,
  budgetUsdDefault: 5,
  /** Fractions of the run budget at which Baton informs the thread. */
  budgetWarnings: [0.5, 0.8] as const,
  /** How long a run waits for required checks before it reports the timeout and stops. */
  ciTimeoutMs: 2 * 3_600_000,
  /** If no check at all appears within this time, the gate reports that there is no CI. */
  ciAppearMs: 90_000,
} as const;
