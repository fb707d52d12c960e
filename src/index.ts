/** The imports of process authors. */
export { workSettings } from "./config/work-settings.ts";
export type { AgentOutput, BreakpointOutput, EffectInput, EffectOutput, PublishOutput } from "./core/effect.ts";
export { BatonError, hasCode, toBatonError } from "./core/errors.ts";
export type { Finding as SweepFinding } from "./core/finding.ts";
export type { Instruction, InstructionsHook, InstructionsLoaded } from "./core/instructions.ts";
export { type Evidence, shaSchema, type Verdict, verdictSchema } from "./core/vocabulary.ts";
export { baseNow, isOnlyAbsence } from "./gate/absent.ts";
export { matchesAny } from "./policy/paths.ts";
export { definePipeline, defineStage, type Pipeline, type PipelineStage, processStage } from "./process/pipeline.ts";
export { type CompiledPlan, compilePlan, type PlanOutcome, type StepOutcome, type WorkStep } from "./process/plan.ts";
export {
  defineProcess,
  type EffectOptions,
  type ProcessContext,
  type ProcessDefinition,
  ProcessRegistry,
} from "./process/process.ts";
export type { StepResult, StepResults, WorkflowStep, WorkflowSteps } from "./process/workflow.ts";
export { factsSchema as promptFactsSchema, type Handoff } from "./prompt/facts.ts";
export { type Finding, findingsSchema, readFindings, renderFindings } from "./prompt/findings.ts";
export { handoff, pullRequestText, questionsOf, showQuestions } from "./prompt/handoff.ts";
export {
  type Outcome,
  type OutcomeAnswer,
  type OutcomeAnswers,
  outcomeAnswerSchema,
  outcomesSchema,
  outcomesVerdict,
  readAnswers,
  renderOutcomes,
} from "./prompt/outcomes.ts";
export { outcomesOf, type Plan, type PlanStep, parsePlan, renderPlan } from "./prompt/plan.ts";
export { type Prompt, type PromptFacts, prompts } from "./prompt/prompts.ts";
export { readExpected } from "./prompt/tasks/expect.ts";
export type { ReviewLines } from "./prompt/tasks/review.ts";
export { readSecondLook } from "./prompt/tasks/second-look.ts";
export { afterSecondLook, blockingOf, type Choice, chooseReview, postedOf } from "./review/choose.ts";
export { postedMax, type ReviewFacts, reviewedSchema, reviewFactsSchema } from "./review/facts.ts";
export { reviewGate, reviewGateName } from "./review/gate.ts";
export { findingComment, standingList, summaryText, withFindings } from "./review/render.ts";
export { choose } from "./sweep/choose.ts";
export { agentFilesCommand, agentPrompt } from "./sweep/detectors/agent.ts";
export { askedOfGithub, detectorNamed } from "./sweep/detectors/index.ts";
export { patternCommand } from "./sweep/detectors/pattern.ts";
export { staleCommand } from "./sweep/detectors/stale.ts";
export { type SweepResult, sweepFactsSchema, sweepResultSchema } from "./sweep/facts.ts";
export { afterSweep } from "./sweep/states.ts";
export { throttle } from "./sweep/throttle.ts";
export * as formatted from "./text/format.ts";
export { neutralise, neutraliseLine } from "./text/neutralise.ts";
export { answerText } from "./thread/render/answer.ts";
