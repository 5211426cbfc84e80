import { useRef, useState } from "preact/hooks";
import { call } from "../api.ts";
import { facts } from "../facts.ts";
import { start } from "../start.tsx";
import { texts } from "../texts/index.ts";
import { Copy, CopyLine } from "../ui/copy.tsx";
import { Form, Submit } from "../ui/form.tsx";
import { Loaded, signInAgain, useLoaded } from "../ui/loaded.tsx";
import { Notice, Said } from "../ui/notice.tsx";
import { troubleOf } from "../ui/problem.ts";
import { Account, Section } from "../ui/shell.tsx";

const t = texts.tokens;

/** As long as a token, so that nothing moves when it is shown. */
const masked = "•".repeat(32);

/** The token as this page knows it: not asked for before somebody wants to see or copy it. */
type Token = {
  readonly has: boolean;
  readonly value: string | undefined;
};

const load = async (): Promise<Token> => ({
  has: (await call("GET /api/me", {})).has_token,
  value: undefined,
});

const fetchToken = async (): Promise<string> => (await call("GET /api/v9/me", {})).api_token ?? "";

const TokenLine = ({
  shown,
  show,
  get,
}: {
  readonly shown: string | undefined;
  readonly show: (token: string | undefined) => void;
  readonly get: () => Promise<string>;
}) => {
  const [fault, setFault] = useState<string>();
  const reveal = async (): Promise<void> => {
    try {
      show(await get());
      setFault(undefined);
    } catch (error) {
      if (!signInAgain(error)) setFault(troubleOf(error, []).message);
    }
  };
  return (
    <>
      <div class="copy-line two-ways">
        <code aria-label={t.token}>{shown ?? masked}</code>
        <button
          type="button"
          aria-pressed={shown !== undefined}
          onClick={() => (shown === undefined ? void reveal() : show(undefined))}
        >
          {shown === undefined ? t.reveal : t.hide}
          <span class="for-readers"> {t.token}</span>
        </button>
        <Copy what={t.token} text={get} />
      </div>
      <p role="alert" class="fault">
        {fault}
      </p>
    </>
  );
};

/** Replacing has consequences elsewhere, so they are told before, in a dialog of their own. */
const Replace = ({ replaced }: { readonly replaced: (token: string) => void }) => {
  const dialog = useRef<HTMLDialogElement>(null);
  const replace = async (): Promise<void> => {
    replaced(await call("POST /api/v9/me/reset_token", {}));
    dialog.current?.close();
  };
  return (
    <>
      <div class="actions">
        <button type="button" class="plain" onClick={() => dialog.current?.showModal()}>
          {t.replace}
        </button>
      </div>
      <dialog ref={dialog} aria-labelledby="replace-title">
        <div>
          <h2 id="replace-title">{t.replaceTitle}</h2>
          <p>{t.replaceLead}</p>
          <ul class="bullets">
            {t.breaks.map((line) => (
              <li key={line}>{line}</li>
            ))}
          </ul>
          <p class="quiet">{t.stays}</p>
          <Form label={t.replaceTitle} send={replace}>
            <div class="actions">
              <button type="button" class="plain" onClick={() => dialog.current?.close()}>
                {t.cancel}
              </button>
              <Submit busy={t.replacing} kind="grave">
                {t.confirmReplace}
              </Submit>
            </div>
          </Form>
        </div>
      </dialog>
    </>
  );
};

const Make = ({ made }: { readonly made: (token: string) => void }) => (
  <Form label={t.none} send={async () => made(await call("POST /api/v9/me/reset_token", {}))}>
    <p>{t.none}</p>
    <div class="actions">
      <Submit busy={t.making}>{t.make}</Submit>
    </div>
  </Form>
);

const Combination = ({
  title,
  tag,
  why,
  user,
  password,
  curl,
}: {
  readonly title: string;
  readonly tag?: string;
  readonly why: string;
  readonly user: Parameters<typeof CopyLine>[0];
  readonly password: Parameters<typeof CopyLine>[0] | string;
  readonly curl: Parameters<typeof CopyLine>[0];
}) => (
  <section class="combination" aria-label={title}>
    <h3>
      {title} {tag !== undefined && <span class="tag good">{tag}</span>}
    </h3>
    <p class="small">{why}</p>
    <dl class="facts">
      <dt>{t.user}</dt>
      <dd>
        <CopyLine {...user} />
      </dd>
      <dt>{t.pass}</dt>
      <dd>{typeof password === "string" ? password : <CopyLine {...password} />}</dd>
      <dt>{t.terminal}</dt>
      <dd>
        <CopyLine {...curl} />
      </dd>
    </dl>
  </section>
);

const me = `${facts.origin}/api/v9/me`;
const email = facts.signedIn?.email ?? "";

const Link = ({
  shown,
  get,
}: {
  readonly shown: string | undefined;
  /** Undefined where the token can't be had any more. */
  readonly get: (() => Promise<string>) | undefined;
}) => {
  const token = shown ?? (get ? masked : "<API token>");
  /** A token needs no quotes; what only stands for one would be a redirection to a shell. */
  const curl = (value: string): string =>
    `curl -u ${value.startsWith("<") ? `'${value}:api_token'` : `${value}:api_token`} ${me}`;
  return (
    <Section title={t.link} lead={t.linkLead}>
      <Combination
        title={t.byToken}
        tag={t.recommended}
        why={t.byTokenWhy}
        user={{ what: t.token, shown: token, text: get ?? (() => token) }}
        password={{ what: t.passWord, shown: "api_token" }}
        curl={{
          what: t.curlToken,
          shown: curl(shown ?? (get ? "…" : token)),
          text: async () => curl(get ? await get() : token),
        }}
      />
      <Combination
        title={t.byPassword}
        why={t.byPasswordWhy}
        user={{ what: texts.field.email, shown: email }}
        password={t.yourPassword}
        // Without a password curl asks for it, so it stays out of the shell's history.
        curl={{ what: t.curlPassword, shown: `curl -u '${email.replaceAll("'", String.raw`'\''`)}' ${me}` }}
      />
    </Section>
  );
};

const Tokens = () => {
  const token = useLoaded(load);
  const [shown, setShown] = useState<string>();
  const [said, setSaid] = useState<string>();

  const replaced = (value: string): void => {
    token.set({ has: true, value });
    setShown(value);
    setSaid(facts.revealToken ? t.replaced : t.replacedOnce);
  };
  const getterOf = ({ value }: Token): (() => Promise<string>) | undefined => {
    if (value !== undefined) return () => Promise.resolve(value);
    return facts.revealToken ? fetchToken : undefined;
  };

  return (
    <Account at="tokens" title={t.title} lead={t.lead}>
      <Loaded of={token}>
        {(known) => {
          const get = known.has ? getterOf(known) : undefined;
          return (
            <>
              <Section title={t.yours} lead={t.yoursLead}>
                <Said>
                  {said !== undefined && (
                    <Notice kind="good">
                      <p>{said}</p>
                    </Notice>
                  )}
                </Said>
                {get && <TokenLine shown={shown} show={setShown} get={get} />}
                {known.has && !get && <p>{t.notShown}</p>}
                {known.has ? <Replace replaced={replaced} /> : <Make made={replaced} />}
              </Section>
              <Link shown={shown} get={get} />
            </>
          );
        }}
      </Loaded>
    </Account>
  );
};

start(Tokens);
