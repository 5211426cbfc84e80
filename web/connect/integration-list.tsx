import { useState } from "preact/hooks";
import { enConnect } from "../texts/en-connect.ts";
import type { Integration } from "./form-data.ts";

const t = enConnect.list;

/** So many are seen at a glance. */
const searchedFrom = 7;

export const Mark = ({ mark: { initials, colour } }: { readonly mark: Integration["mark"] }) => (
  <svg class="mark" viewBox="0 0 40 40" aria-hidden="true">
    <rect width="40" height="40" rx="9" fill={colour} />
    <text
      x="20"
      y="21"
      fill="#fff"
      font-size="16"
      font-weight="600"
      text-anchor="middle"
      dominant-baseline="central"
    >
      {initials}
    </text>
  </svg>
);

export const IntegrationList = ({
  integrations,
  onChoose,
}: {
  readonly integrations: readonly Integration[];
  readonly onChoose: (integration: Integration) => void;
}) => {
  const [search, setSearch] = useState("");
  const wanted = search.trim().toLowerCase();
  const found = integrations.filter(({ name }) => name.toLowerCase().includes(wanted));
  return (
    <>
      {integrations.length >= searchedFrom && (
        <>
          <input
            type="search"
            aria-label={t.search}
            placeholder={t.search}
            autocomplete="off"
            value={search}
            onInput={({ currentTarget }) => setSearch(currentTarget.value)}
          />
          <div role="status" class={found.length > 0 ? "for-readers" : "quiet"}>
            {wanted === "" ? "" : found.length > 0 ? t.found(found.length) : t.none(search.trim())}
          </div>
        </>
      )}
      <ul class="integrations">
        {found.map((integration) => (
          <li key={integration.key}>
            <button type="button" onClick={() => onChoose(integration)}>
              <Mark mark={integration.mark} />
              <span class="integration-name" dir="auto">
                {integration.name}
              </span>
              {integration.linked && <span class="tag good">{t.linked}</span>}
            </button>
          </li>
        ))}
      </ul>
    </>
  );
};
