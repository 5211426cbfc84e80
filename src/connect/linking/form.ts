import { z } from "zod";
import { Refusal } from "../../kernel/errors.ts";
import { accountAnswer } from "../wire/answers.ts";
import { appearanceAnswer } from "../model/appearance.ts";
import { providerAnswer, shownProvider } from "../catalogue/shown-provider.ts";
import type { ConnectSession } from "../model/connect-session.ts";
import type { Connection, Integration } from "../model/connection.ts";
import type { ConnectDeps } from "../deps.ts";
import { markOf } from "../wire/mark.ts";
import { mayOpen, redirectOf } from "../sessions/openers.ts";
import { connectionByRow } from "../store/connections.ts";
import { integrationsLinkedBy } from "../store/list-connections.ts";
import { integrationsOf } from "../store/integrations.ts";
import { refusals } from "../model/refusals.ts";

/** Everything that the form needs to stand there, in one answer. */

const { auth_mode: authMode, shapes, connection_config: connectionConfig } = providerAnswer.shape;

const formIntegration = z.object({
  key: z.string(),
  name: z.string(),
  auth_mode: authMode,
  mark: z.object({ initials: z.string(), colour: z.string() }),
  /** The guide; the anchors of fields are of ours only. */
  docs: z.string(),
  has_anchors: z.boolean(),
  /** Whether this person has linked an account there already. */
  linked: z.boolean(),
  shapes,
  /** What is asked beside the credentials. What the app has laid down is not. */
  config: connectionConfig.unwrap(),
});

export const formAnswer = z.object({
  data: z.object({
    ...appearanceAnswer,
    /** Who links, as the app calls them: somebody who was sent another's link can see it. */
    person: z.string().nullable(),
    finished: z.boolean(),
    expires_at: z.string(),
    /** Where a form that was opened as a link leads back to. */
    redirect_url: z.string().nullable(),
    /** The account that is linked anew; null for a first time. */
    reconnects: z
      .object({ account: accountAnswer.pick({ name: true, workspace: true }).nullable() })
      .nullable(),
    integrations: z.array(formIntegration),
  }),
});

type Shown = z.output<typeof formAnswer>["data"];
type Shape = Shown["integrations"][number]["shapes"][number];
type Deps = Pick<ConnectDeps, "store" | "catalogue" | "policy">;

/** Where the app keeps the password after all, nobody is promised otherwise. */
const keptAsTyped = ({ description, ...shape }: Shape): Shape =>
  shape.swapped
    ? { ...shape, swapped: false }
    : { ...shape, ...(description === undefined ? {} : { description }) };

const shownIntegration = (
  { catalogue, policy }: Deps,
  { terms }: ConnectSession,
  { uniqueKey, provider: name, displayName, id, config }: Integration,
  linked: ReadonlySet<number>,
): Shown["integrations"] => {
  const provider = catalogue.get(name);
  // Its file is gone from the catalogue. The others can still be linked.
  if (!provider) return [];
  const shown = shownProvider(provider, policy.origin.origin);
  const keepsPassword = config["keep_password"] === true;
  const docs = terms.docs[uniqueKey];
  const laidDown = terms.configDefaults[uniqueKey] ?? {};
  const asked = Object.entries(shown.connection_config ?? {}).filter(
    ([field, { hidden }]) => hidden !== true && !Object.hasOwn(laidDown, field),
  );
  const title = displayName ?? provider.display_name;
  return [
    {
      key: uniqueKey,
      name: title,
      auth_mode: provider.auth_mode,
      mark: markOf(title),
      docs: docs ?? shown.docs_connect,
      has_anchors: docs === undefined,
      linked: linked.has(id),
      shapes: keepsPassword ? shown.shapes.map(keptAsTyped) : shown.shapes,
      config: Object.fromEntries(asked),
    },
  ];
};

/** Whoever finds the link is told nothing but a name: the address stays with its owner. */
const formerOf = (former: Connection | undefined): Shown["reconnects"] =>
  former
    ? { account: former.account && { name: former.account.name, workspace: former.account.workspace } }
    : null;

/**
 * A finished session tells only that it is finished.
 *
 * @param opener origin of the page that frames the form; undefined when none does
 * @throws Refusal origin_not_allowed
 */
export const readForm =
  (deps: Deps) =>
  async (session: ConnectSession, opener: string | undefined): Promise<Shown> => {
    const { store, policy } = deps;
    if (opener !== undefined && !mayOpen(session, opener, policy.origin)) {
      throw new Refusal(refusals.origin_not_allowed);
    }
    const { environment, terms, connectionRow } = session;
    const isOver = session.finishedAt !== null && !policy.connectReusable;
    const { allowedIntegrations, endUser, tags } = terms;
    const common = {
      ...environment.appearance,
      person: isOver ? null : (endUser?.displayName ?? tags["end_user_display_name"] ?? null) || null,
      finished: isOver,
      expires_at: new Date(session.expiresAt).toISOString(),
      redirect_url: redirectOf(session),
    };
    if (isOver) return { ...common, reconnects: null, integrations: [] };
    const person = endUser?.id ?? tags["end_user_id"];
    const former = connectionRow === null ? undefined : await connectionByRow(store.query, connectionRow);
    const linked =
      person === undefined ? [] : await integrationsLinkedBy(store.query, environment.id, person);
    const all = await integrationsOf(store.query, environment.id);
    return {
      ...common,
      reconnects: formerOf(former),
      integrations: all
        .filter(
          ({ uniqueKey }) => allowedIntegrations.length === 0 || allowedIntegrations.includes(uniqueKey),
        )
        .flatMap((integration) => shownIntegration(deps, session, integration, new Set(linked))),
    };
  };
