/**
 * The setup of an agent of the Agent Client Protocol. Free of the protocol itself, which the types of the library do
 * not need.
 */
export interface AcpOptions {
  /** The operator's name for the agent. */
  name: string;
  /** Program and arguments. */
  command: readonly string[];
  /** False: it reads files by itself. Some agents treat the protocol's answer for a missing file as a failure. */
  reads?: boolean | undefined;
  /** How to install its program. Absent: derived from its name. */
  install?: string;
  /** Environment variables passed through by name, with their values. */
  keys?: Record<string, string | undefined>;
}
