/** Inputs of the renderers in addition to the state of a run. */
export interface RenderView {
  /** Milliseconds since the epoch. Only for durations: no shown text changes with time alone. */
  now: number;
  /** True: shown once, for now, so the text may say how old something is. */
  live?: boolean;
}
