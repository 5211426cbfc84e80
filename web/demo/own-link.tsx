import { Fragment } from "preact";
import { useState } from "preact/hooks";
import { call } from "../api.ts";
import type { Calls } from "../api.generated.ts";
import { enDemo } from "../texts/en-demo.ts";
import { Form, Submit } from "../ui/form.tsx";
import { Notice, Said } from "../ui/notice.tsx";
import { FormFrame } from "./form-frame.tsx";

const t = enDemo.link;

export type OwnConnection = NonNullable<Calls["GET /connect/demo/connection"]["answer"]["connection"]>;

const rowsOf = ({ account, connection_id: id }: OwnConnection): readonly (readonly [string, string])[] => {
  const rows = [
    [t.name, account?.name ?? null],
    [t.email, account?.email ?? null],
    [t.workspace, account?.workspace ?? null],
    [t.connection, id],
  ] as const;
  return rows.flatMap(([title, value]) => (value === null ? [] : [[title, value] as const]));
};

const kinds = { live: "good", failing: "warn", revoked: "warn" } as const;

const Linked = ({ connection }: { readonly connection: OwnConnection }) => (
  <dl class="facts">
    <dt>{t.state}</dt>
    <dd>
      <span class={`tag ${kinds[connection.state]}`}>{t.states[connection.state]}</span>
    </dd>
    {rowsOf(connection).map(([title, value]) => (
      <Fragment key={title}>
        <dt>{title}</dt>
        <dd>{value}</dd>
      </Fragment>
    ))}
  </dl>
);

const openSession = async (): Promise<string> =>
  (await call("POST /connect/demo/session", { body: {} })).session_token;

/** Linking, linking anew and unlinking. */
export const OwnLink = ({
  connection,
  onLinked,
  onUnlinked,
}: {
  readonly connection: OwnConnection | null;
  readonly onLinked: () => void;
  readonly onUnlinked: () => void;
}) => {
  const [token, setToken] = useState<string>();
  const [said, setSaid] = useState<string>();
  const open = async (): Promise<void> => {
    setSaid(undefined);
    setToken(await openSession());
  };
  const unlink = async (): Promise<void> => {
    await call("DELETE /connect/demo/connection", {});
    setSaid(t.unlinked);
    onUnlinked();
  };
  /** What was said when it was linked is not true for good. */
  const isStale = connection !== null && connection.state !== "live";
  return (
    <>
      <Said>
        {said !== undefined && !isStale && (
          <Notice kind="good">
            <p>{said}</p>
          </Notice>
        )}
      </Said>
      {connection && <Linked connection={connection} />}
      <div class="actions">
        <Form label={connection ? t.again : t.open} send={open}>
          <Submit busy={t.opening} kind={connection ? "plain" : "main"}>
            {connection ? t.again : t.open}
          </Submit>
        </Form>
        {connection && (
          <Form label={t.unlink} send={unlink}>
            <Submit busy={t.unlinking} kind="grave">
              {t.unlink}
            </Submit>
          </Form>
        )}
      </div>
      {token !== undefined && (
        <FormFrame
          token={token}
          onLinked={() => {
            setSaid(t.linked);
            onLinked();
          }}
          onClosed={() => setToken(undefined)}
        />
      )}
    </>
  );
};
