import type { RunState } from "../core/state.ts";
import type { RenderView } from "../thread/render/view.ts";
import type { Dependencies } from "./dependencies.ts";

export function renderView({ clock }: Dependencies, state: RunState): RenderView {
  const { owner, name } = state.thread.repository;
  return { now: clock.now(), repositoryUrl: `${owner}/${name}` };
}
