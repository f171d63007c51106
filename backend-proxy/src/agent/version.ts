/** The agent's version, as its status says it. */
export const AGENT_VERSION = '0.1.0';
