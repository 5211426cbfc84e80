import type { Integration } from "./form-data.ts";

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
