import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { call, Refused } from "../api.ts";
import { enConnect } from "../texts/en-connect.ts";
import { useSlow } from "../ui/slow.ts";
import { AnotherAccount, isAccountChange, type AccountChange } from "./another-account.tsx";
import { ConnectField } from "./field.tsx";
import type { AskedField, FormData, Integration, Linked, Shape } from "./form-data.ts";
import { OutcomeNotice } from "./outcome-notice.tsx";
import { endOfLink, outcomeOf, type Outcome } from "./outcome.ts";
import type { Tell } from "./tell.ts";

const t = enConnect.form;

type Values = Readonly<Record<string, string>>;
type Asked = readonly [name: string, field: AskedField];

/** The recommended way first: most people take what stands at the top. */
const inOrder = (shapes: readonly Shape[]): readonly Shape[] => [
  ...shapes.filter(({ recommended }) => recommended),
  ...shapes.filter(({ recommended }) => !recommended),
];

const byOrder = ([, one]: Asked, [, other]: Asked): number => (one.order ?? 0) - (other.order ?? 0);

/** The configuration stands before the credentials where its file gives it an order, and behind them otherwise. */
const askedFields = ({ config }: Integration, shape: Shape | undefined): readonly Asked[] => {
  const asked = Object.entries(config).map(([name, field]): Asked => [`params.${name}`, field]);
  const credentials = Object.entries(shape?.fields ?? {}).filter(([, { hidden }]) => hidden !== true);
  return [
    ...asked.filter(([, { order }]) => order !== undefined).toSorted(byOrder),
    ...credentials.toSorted(byOrder),
    ...asked.filter(([, { order }]) => order === undefined),
  ];
};

const isConfig = (name: string): boolean => name.startsWith("params.");

/** A token is not shown as somebody's address because two ways call their fields alike; the configuration is one for all. */
const placeOf = (name: string, shapeName: string | undefined): string =>
  isConfig(name) ? "" : (shapeName ?? "");

/** The body of the wire: what is asked in this shape, and what the shape fills in by itself. */
const bodyOf = (shape: Shape | undefined, asked: readonly Asked[], values: Values) => {
  const given = asked.map(([name, field]) => [name, values[name] ?? field.default_value ?? ""] as const);
  const filled = Object.entries(shape?.fields ?? {})
    .filter(([, { hidden }]) => hidden === true)
    .map(([name, field]) => [name, field.default_value ?? ""] as const);
  const credentials = Object.fromEntries([...given.filter(([name]) => !isConfig(name)), ...filled]);
  const config = given
    .filter(([name, value]) => isConfig(name) && value !== "")
    .map(([name, value]) => [name.replace("params.", ""), value] as const);
  return { credentials, ...(config.length > 0 ? { params: Object.fromEntries(config) } : {}) };
};

const send = (
  { auth_mode: mode, key }: Integration,
  { credentials, params }: ReturnType<typeof bodyOf>,
  { token, query }: { readonly token: string; readonly query: Readonly<Record<string, string>> },
): Promise<Linked> => {
  const common = { token, query, params: { integration_key: key } };
  const config = params === undefined ? {} : { params };
  switch (mode) {
    case "BASIC": {
      const { username = "", password = "" } = credentials;
      return call("POST /api-auth/basic/{integration_key}", {
        ...common,
        body: { username, password, ...config },
      });
    }
    case "API_KEY": {
      const { apiKey = "" } = credentials;
      return call("POST /api-auth/api-key/{integration_key}", { ...common, body: { apiKey, ...config } });
    }
    case "NONE":
      return call("POST /auth/unauthenticated/{integration_key}", { ...common, body: config });
  }
};

const changeIn = (error: unknown): AccountChange | undefined =>
  error instanceof Refused && error.code === "different_account" && isAccountChange(error.payload)
    ? error.payload
    : undefined;

const emptyOnes = (asked: readonly Asked[], values: Values): Readonly<Record<string, string>> =>
  Object.fromEntries(
    asked
      .filter(
        ([name, field]) =>
          field.optional !== true && (values[name] ?? field.default_value ?? "").trim() === "",
      )
      .map(([name, { title }]) => [name, t.empty(title)]),
  );

export type Done = (linked: Linked) => void;

type Props = {
  readonly data: FormData;
  readonly integration: Integration;
  readonly token: string;
  readonly tell: Tell;
  readonly onLinked: Done;
  readonly onOver: (end: "finished" | "unknown" | "origin") => void;
};

/** What a person enters for one integration, however often it takes. */
export const LinkForm = ({ data, integration, token, tell, onLinked, onOver }: Props) => {
  const shapes = inOrder(integration.shapes);
  const [shapeName, setShapeName] = useState(shapes[0]?.name);
  const shape = shapes.find(({ name }) => name === shapeName);
  const [typed, setTyped] = useState<Readonly<Record<string, Values>>>({});
  const values: Values = { ...typed[placeOf("", shapeName)], ...typed[""] };
  const [outcome, setOutcome] = useState<Outcome>();
  const [faults, setFaults] = useState<Readonly<Record<string, string>>>({});
  const [change, setChange] = useState<AccountChange>();
  const [pending, setPending] = useState(false);
  const slow = useSlow(pending);
  const running = useRef(false);
  const form = useRef<HTMLFormElement>(null);
  const notice = useRef<HTMLDivElement>(null);
  const asked = askedFields(integration, shape);

  const enter = (name: string, value: string): void => {
    const place = placeOf(name, shapeName);
    setTyped((before) => ({ ...before, [place]: { ...before[place], [name]: value } }));
  };

  useLayoutEffect(() => {
    form.current?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus();
  }, [faults]);
  useEffect(() => {
    notice.current?.scrollIntoView({ block: "nearest" });
  }, [outcome]);
  // Back from the question, whose buttons are gone: on where it was begun.
  const asks = useRef(false);
  useLayoutEffect(() => {
    if (asks.current && change === undefined) {
      form.current?.querySelector<HTMLElement>(".field input, .field select, button.main")?.focus();
    }
    asks.current = change !== undefined;
  }, [change]);

  const submit = async (confirmed: boolean): Promise<void> => {
    if (running.current) return;
    const missing = emptyOnes(asked, values);
    setOutcome(undefined);
    setFaults(missing);
    if (Object.keys(missing).length > 0) return;
    running.current = true;
    setPending(true);
    try {
      const query = confirmed ? { confirm_account_change: "true" } : {};
      const linked = await send(integration, bodyOf(shape, asked, values), { token, query });
      tell({
        type: "connect",
        payload: { providerConfigKey: linked.providerConfigKey, connectionId: linked.connectionId },
      });
      onLinked(linked);
    } catch (error) {
      const end = endOfLink(error);
      if (end) return onOver(end);
      const another = changeIn(error);
      if (another) return setChange(another);
      const came = outcomeOf(error, integration.name, {
        names: asked.map(([name]) => name),
        hasAddress: Object.keys(integration.config).length > 0,
      });
      setChange(undefined);
      setOutcome(came);
      setFaults(came.fields);
      tell({ type: "error", payload: { errorType: came.code, errorMessage: came.message } });
    } finally {
      running.current = false;
      setPending(false);
    }
  };

  const help = (field: AskedField): string | undefined =>
    field.doc_section === undefined || !integration.has_anchors
      ? undefined
      : integration.docs + field.doc_section;

  return (
    <>
      {change !== undefined && (
        <AnotherAccount
          change={change}
          app={data.app_name}
          pending={pending}
          slow={slow}
          onConfirm={() => void submit(true)}
          onBack={() => setChange(undefined)}
        />
      )}
      {/* Kept while it is not shown: what was typed is there when somebody goes back to it. */}
      <form
        ref={form}
        hidden={change !== undefined}
        method="post"
        noValidate
        autocomplete="off"
        onSubmit={(event) => {
          event.preventDefault();
          void submit(false);
        }}
      >
        {shapes.length > 1 && (
          <fieldset class="shapes">
            <legend class="label">{t.how}</legend>
            {shapes.map(({ name, title, description, recommended }) => (
              <label key={name} class="shape">
                <input
                  type="radio"
                  name="shape"
                  value={name}
                  checked={name === shapeName}
                  onChange={() => {
                    setShapeName(name);
                    setOutcome(undefined);
                    setFaults({});
                  }}
                />
                <span>
                  <span class="shape-title">
                    {title} {recommended && <span class="tag good">{t.recommended}</span>}
                  </span>
                  {description !== undefined && <span class="hint">{description}</span>}
                </span>
              </label>
            ))}
          </fieldset>
        )}
        {asked.map(([name, field]) => (
          <ConnectField
            key={`${shapeName}.${name}`}
            name={name}
            field={field}
            value={values[name] ?? field.default_value ?? ""}
            onValue={(value) => enter(name, value)}
            fault={faults[name]}
            help={help(field)}
          />
        ))}
        <p class="small">
          {asked.length === 0
            ? t.nothingToEnter
            : shape?.swapped === true
              ? t.swappedNote
              : t.keptNote(integration.name)}
        </p>
        <OutcomeNotice outcome={outcome} place={notice} />
        <button type="submit" class="main" aria-disabled={pending}>
          {slow ? t.busy : t.submit(integration.name)}
        </button>
        <div role="status" class="for-readers">
          {slow ? t.checking(integration.name) : ""}
        </div>
      </form>
      <p class="aside" hidden={change !== undefined}>
        <a href={integration.docs} target="_blank" rel="noopener" aria-label={t.guideNewTab}>
          {t.guide}
        </a>
      </p>
    </>
  );
};
