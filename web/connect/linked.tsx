import { enConnect } from "../texts/en-connect.ts";
import type { Account, FormData, Linked } from "./form-data.ts";

const t = enConnect.linked;

const rowsOf = ({ name, email, workspace, id }: Account): readonly (readonly [string, string])[] => {
  const rows = [
    [t.name, name],
    [t.email, email],
    [t.workspace, workspace],
  ] as const;
  const told = rows.flatMap(([title, value]) => (value === null ? [] : [[title, value] as const]));
  return told.length > 0 ? told : [[t.account, id]];
};

/** What the app may look up under this address. It is no proof: whoever has the link can write it as well. */
const wayBack = (address: string, { connectionId, providerConfigKey }: Linked): string => {
  const url = new URL(address);
  url.searchParams.set("connection_id", connectionId);
  url.searchParams.set("provider_config_key", providerConfigKey);
  return url.href;
};

/** Whose account it is that was linked: the last chance to notice that it was the wrong one. */
export const LinkedAccount = ({
  data,
  linked,
  framed,
  onFinish,
}: {
  readonly data: FormData;
  readonly linked: Linked;
  readonly framed: boolean;
  readonly onFinish: () => void;
}) => (
  <>
    {linked.account && (
      <dl class="facts">
        {rowsOf(linked.account).map(([title, value]) => (
          <div key={title}>
            <dt>{title}</dt>
            <dd dir="auto">{value}</dd>
          </div>
        ))}
      </dl>
    )}
    {framed && (
      <button type="button" class="main" onClick={onFinish}>
        {t.finish}
      </button>
    )}
    {!framed && data.redirect_url !== null && (
      <a class="main" href={wayBack(data.redirect_url, linked)}>
        {t.backTo(data.app_name)}
      </a>
    )}
    {!framed && data.redirect_url === null && <p class="quiet">{t.tab}</p>}
  </>
);
