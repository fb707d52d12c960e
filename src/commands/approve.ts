import { answerBreakpoint } from "./answer-breakpoint.ts";
import type { CommandHandler } from "./context.ts";

export const approve: CommandHandler = (context) => answerBreakpoint(context, "approved");
