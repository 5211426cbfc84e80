/** What an environment's API key may do: the original's names, so that its users find what they know. */
export const scopes = [
  "environment:connect_sessions:write",
  "environment:integrations:list",
  "environment:integrations:read",
  "environment:integrations:create",
  "environment:integrations:update",
  "environment:integrations:delete",
  "environment:connections:list",
  "environment:connections:read",
  "environment:connections:read_credentials",
  "environment:connections:create",
  "environment:connections:update",
  "environment:connections:delete",
  "environment:proxy",
  "environment:webhooks:read",
  "environment:webhooks:write",
  "environment:settings:read",
  "environment:settings:write",
] as const;

export type Scope = (typeof scopes)[number];

export const isScope = (text: string): text is Scope => scopes.some((scope) => scope === text);
