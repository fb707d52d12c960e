/** What the renderers need beside the state of a run. */
export interface RenderView {
  /** Milliseconds since the epoch: only to tell how long something lasted; nothing shown ticks by itself. */
  now: number;
  /** True: shown once, for now, so that it may say how old something is. */
  live?: boolean;
}
