/** How an agent of the Agent Client Protocol is set up. Without the protocol, which the types of the library do not need. */
export interface AcpOptions {
  /** As the operator calls it. */
  name: string;
  /** Program and arguments. */
  command: readonly string[];
  /** False: it reads files by itself. Some take the protocol's answer for a file that is not there yet for a failure. */
  reads?: boolean | undefined;
  /** How its program comes to the machine; absent: by its name. */
  install?: string;
  /** Environment variables passed through by name, with their values. */
  keys?: Record<string, string | undefined>;
}
