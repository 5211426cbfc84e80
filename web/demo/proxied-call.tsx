import { useEffect, useState } from "preact/hooks";
import { call, OtherAnswer } from "../api.ts";
import { facts } from "../facts.ts";
import { enDemo } from "../texts/en-demo.ts";
import { CopyLine } from "../ui/copy.tsx";
import { signInAgain } from "../ui/loaded.tsx";
import { Notice } from "../ui/notice.tsx";
import { troubleOf } from "../ui/problem.ts";
import { useSlow } from "../ui/slow.ts";

const t = enDemo.call;

type Came =
  | { readonly kind: "answer"; readonly status: number; readonly body: unknown }
  | { readonly kind: "trouble"; readonly message: string | undefined };

/** Whatever the API says, a refusal included. */
const askMe = async (): Promise<Came> => {
  try {
    return { kind: "answer", status: 200, body: await call("GET /connect/demo/me", {}) };
  } catch (error) {
    if (error instanceof OtherAnswer) return { kind: "answer", status: error.status, body: error.answer };
    if (signInAgain(error)) return { kind: "trouble", message: undefined };
    return { kind: "trouble", message: troubleOf(error, [], t.refusals).message };
  }
};

const shown = (body: unknown): string =>
  JSON.stringify(
    body,
    (key, value: unknown) => (key === "api_token" && typeof value === "string" ? t.hidden : value),
    2,
  );

const curlLine = (connectionId: string, integration: string): string =>
  `curl ${facts.origin}/proxy/api/v9/me -H "Authorization: Bearer $KEY"` +
  ` -H 'Provider-Config-Key: ${integration}' -H 'Connection-Id: ${connectionId}'`;

/** What an app would get, and how it would ask. */
export const ProxiedCall = ({
  connectionId,
  integration,
  onRefused,
}: {
  readonly connectionId: string;
  readonly integration: string;
  readonly onRefused: () => void;
}) => {
  const [came, setCame] = useState<Came>();
  const [pending, setPending] = useState(false);
  const slow = useSlow(pending);
  const ask = async (): Promise<void> => {
    if (pending) return;
    setPending(true);
    const next = await askMe();
    setCame(next);
    setPending(false);
    if (next.kind === "trouble" || next.status !== 200) onRefused();
  };
  useEffect(() => void ask(), []);
  const isRefused = came?.kind === "answer" && came.status !== 200;
  return (
    <>
      <div class="stack">
        <p>{t.curlLead}</p>
        <CopyLine what={t.keyLine} shown={t.key} />
        <CopyLine what={t.curlLine} shown={curlLine(connectionId, integration)} />
      </div>
      <div class="actions">
        <button type="button" class="plain" aria-disabled={pending} onClick={() => void ask()}>
          {slow ? t.calling : t.again}
        </button>
      </div>
      <div role="alert">
        {(isRefused || came?.kind === "trouble") && (
          <Notice kind="bad">
            <p>{came.kind === "trouble" ? came.message : t.refused}</p>
          </Notice>
        )}
      </div>
      {came?.kind === "answer" && (
        <figure class="answer">
          <figcaption class="label">{t.answer(came.status)}</figcaption>
          <pre>{shown(came.body)}</pre>
        </figure>
      )}
    </>
  );
};
