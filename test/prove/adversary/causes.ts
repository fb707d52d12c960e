/** Every cause, in the order of the run. One file a group in `causes/`, one line here. */
import type { Cause } from "./cause.ts";
import { agentCauses } from "./causes/agents.ts";
import { commandCauses } from "./causes/commands.ts";
import { commitCauses } from "./causes/commits.ts";
import { configurationCauses } from "./causes/configuration.ts";
import { doorCauses } from "./causes/door.ts";
import { egressCauses } from "./causes/egress.ts";
import { hiddenCauses } from "./causes/hidden.ts";
import { lateCauses } from "./causes/late.ts";
import { modelCauses } from "./causes/models.ts";
import { pauseCauses } from "./causes/pauses.ts";
import { peopleCauses } from "./causes/people.ts";
import { repositoryCauses } from "./causes/repositories.ts";
import { runnerCauses } from "./causes/runners.ts";
import { sessionCauses } from "./causes/sessions.ts";
import { sinkCauses } from "./causes/sinks.ts";
import { timeCauses } from "./causes/time.ts";
import { treeCauses } from "./causes/trees.ts";

export const causes: readonly Cause[] = [
  ...commandCauses,
  ...hiddenCauses,
  ...sinkCauses,
  ...timeCauses,
  ...peopleCauses,
  ...doorCauses,
  ...configurationCauses,
  ...repositoryCauses,
  ...treeCauses,
  ...commitCauses,
  ...agentCauses,
  ...sessionCauses,
  ...lateCauses,
  ...modelCauses,
  ...egressCauses,
  ...pauseCauses,
  ...runnerCauses,
];
