import { useLayoutEffect, useRef } from "preact/hooks";
import { enConnect } from "../texts/en-connect.ts";
import type { Account } from "./form-data.ts";

const t = enConnect.another;

/** Of the former one, the server gives no more than its owner knows it by. */
type Named = Pick<Account, "name" | "email" | "workspace">;

export type AccountChange = { readonly before: Named; readonly now: Named };

const isText = (value: unknown): boolean => value === null || typeof value === "string";

const isNamed = (value: unknown): value is Named =>
  typeof value === "object" &&
  value !== null &&
  "name" in value &&
  "email" in value &&
  "workspace" in value &&
  [value.name, value.email, value.workspace].every(isText);

/** What a refusal goes with that asks for a confirmation. */
export const isAccountChange = (value: unknown): value is AccountChange =>
  typeof value === "object" &&
  value !== null &&
  "before" in value &&
  "now" in value &&
  isNamed(value.before) &&
  isNamed(value.now);

/** Its name on a line of its own: what strangers call themselves runs into nothing else. */
const NamedAccount = ({ account: { name, email, workspace } }: { readonly account: Named }) => {
  const more = [email, workspace === null ? null : t.workspace(workspace)].filter((part) => part !== null);
  const [first = t.unnamed, ...others] = name === null ? more : [name, ...more];
  return (
    <>
      <p dir="auto">{first}</p>
      {others.map((part) => (
        <p key={part} class="small" dir="auto">
          {part}
        </p>
      ))}
    </>
  );
};

/** Asked before an app is moved from one account to another: the credentials were right, and of somebody else. */
export const AnotherAccount = ({
  change,
  app,
  pending,
  slow,
  onConfirm,
  onBack,
}: {
  readonly change: AccountChange;
  readonly app: string | null;
  readonly pending: boolean;
  /** It lasts longer than a moment. */
  readonly slow: boolean;
  readonly onConfirm: () => void;
  readonly onBack: () => void;
}) => {
  const title = useRef<HTMLHeadingElement>(null);
  useLayoutEffect(() => title.current?.focus(), []);
  return (
    <section class="stack" aria-labelledby="another-account">
      <div class="notice warn">
        <h2 id="another-account" ref={title} tabIndex={-1} aria-describedby="another-account-lead">
          {t.title}
        </h2>
        <p id="another-account-lead">{t.lead(app)}</p>
      </div>
      <dl class="facts two-accounts">
        <div>
          <dt>{t.before}</dt>
          <dd>
            <NamedAccount account={change.before} />
          </dd>
        </div>
        <div>
          <dt>{t.now}</dt>
          <dd>
            <NamedAccount account={change.now} />
          </dd>
        </div>
      </dl>
      <button type="button" class="main" aria-disabled={pending} onClick={onConfirm}>
        {slow ? t.busy : t.confirm}
      </button>
      <button type="button" class="plain" onClick={onBack}>
        {t.back}
      </button>
    </section>
  );
};
