/** Our own set of icons: strokes of 1.75 on a grid of 24, drawn in the colour of the text. */
const PATHS = {
  archive: "M4 8v10a2 2 0 0 0 2 2h12a2 2 0 0 0 2-2V8M3 4h18v4H3zM10 12h4",
  arrowLeft: "M19 12H5m6-6-6 6 6 6",
  attachment: "m20 11-8.2 8.2a5 5 0 0 1-7-7L13 4a3.4 3.4 0 0 1 4.8 4.8l-8.2 8.1a1.7 1.7 0 0 1-2.4-2.4l7.6-7.5",
  check: "m5 12.5 4.5 4.5L19 7.5",
  chevronDown: "m6 9 6 6 6-6",
  clock: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18ZM12 7v5l3.5 2",
  close: "M6 6l12 12M18 6 6 18",
  compose: "M4 20h4L19 9l-4-4L4 16zM13.5 6.5l4 4",
  copy: "M9 9h9a2 2 0 0 1 2 2v8a2 2 0 0 1-2 2H9a2 2 0 0 1-2-2v-8a2 2 0 0 1 2-2ZM4 15a2 2 0 0 1-1-1.7V5a2 2 0 0 1 2-2h8.3A2 2 0 0 1 15 4",
  download: "M12 4v11m-5-5 5 5 5-5M5 20h14",
  draft: "M14 3H7a2 2 0 0 0-2 2v14a2 2 0 0 0 2 2h10a2 2 0 0 0 2-2V8zM14 3v5h5M9 13h6M9 17h4",
  eye: "M2.5 12S6 5.5 12 5.5 21.5 12 21.5 12 18 18.5 12 18.5 2.5 12 2.5 12ZM12 15a3 3 0 1 0 0-6 3 3 0 0 0 0 6Z",
  eyeOff:
    "M4 4l16 16M10 5.7A9 9 0 0 1 12 5.5c6 0 9.5 6.5 9.5 6.5a16 16 0 0 1-3 3.7M6.5 7.5A15.5 15.5 0 0 0 2.5 12S6 18.5 12 18.5a9 9 0 0 0 4.2-1",
  folder: "M3 7a2 2 0 0 1 2-2h4l2 2.5h8a2 2 0 0 1 2 2V17a2 2 0 0 1-2 2H5a2 2 0 0 1-2-2z",
  forward: "m14 6 6 6-6 6M20 12h-9a7 7 0 0 0-7 7",
  globe: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18ZM3.5 9.5h17M3.5 14.5h17M12 3c5 5 5 13 0 18M12 3c-5 5-5 13 0 18",
  inbox:
    "M4 13 6.5 5.5A2 2 0 0 1 8.4 4h7.2a2 2 0 0 1 1.9 1.5L20 13v5a2 2 0 0 1-2 2H6a2 2 0 0 1-2-2zM4 13h5a3 3 0 0 0 6 0h5",
  junk: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18ZM12 7.5v5.5M12 16.5h.01",
  key: "M8 20a5 5 0 1 0 0-10 5 5 0 0 0 0 10ZM11.7 11.6 20 3.5M16.5 7l3 3M14 9.5l2 2",
  keyboard:
    "M3 7a2 2 0 0 1 2-2h14a2 2 0 0 1 2 2v10a2 2 0 0 1-2 2H5a2 2 0 0 1-2-2zM7 9h.01M11 9h.01M15 9h.01M7 12.5h.01M11 12.5h.01M15 12.5h.01M8 16h8",
  logout: "M14 4H7a2 2 0 0 0-2 2v12a2 2 0 0 0 2 2h7M10 12h11m-4-4 4 4-4 4",
  mail: "M3 7a2 2 0 0 1 2-2h14a2 2 0 0 1 2 2v10a2 2 0 0 1-2 2H5a2 2 0 0 1-2-2zM3.5 7.5 12 13.5l8.5-6",
  mailOpen: "M3 10v8a2 2 0 0 0 2 2h14a2 2 0 0 0 2-2v-8L12 3.5zM3.5 10.5 12 15.5l8.5-5",
  menu: "M4 7h16M4 12h16M4 17h16",
  moon: "M20 14.5A8.5 8.5 0 0 1 9.5 4 8.5 8.5 0 1 0 20 14.5Z",
  more: "M6 12h.01M12 12h.01M18 12h.01",
  move: "M3 7a2 2 0 0 1 2-2h4l2 2.5h8a2 2 0 0 1 2 2V17a2 2 0 0 1-2 2H5a2 2 0 0 1-2-2zM9 13h6m-2.5-2.5L15 13l-2.5 2.5",
  print: "M7 9V4h10v5M7 17H5a2 2 0 0 1-2-2v-4a2 2 0 0 1 2-2h14a2 2 0 0 1 2 2v4a2 2 0 0 1-2 2h-2M7 14h10v6H7z",
  refresh: "M20 5v5h-5M4 19v-5h5M19.5 10A8 8 0 0 0 6 6.8L4.5 8.5M4.5 14A8 8 0 0 0 18 17.2l1.5-1.7",
  reply: "m10 6-6 6 6 6M4 12h9a7 7 0 0 1 7 7",
  replyAll: "m7 6-5 6 5 6M13 6l-6 6 6 6M7 12h7a7 7 0 0 1 7 7",
  search: "M11 18a7 7 0 1 0 0-14 7 7 0 0 0 0 14ZM20 20l-4-4",
  server:
    "M5 4h14a1 1 0 0 1 1 1v5a1 1 0 0 1-1 1H5a1 1 0 0 1-1-1V5a1 1 0 0 1 1-1ZM5 13h14a1 1 0 0 1 1 1v5a1 1 0 0 1-1 1H5a1 1 0 0 1-1-1v-5a1 1 0 0 1 1-1ZM8 7.5h.01M8 16.5h.01",
  sent: "M21 3 10.5 13.5M21 3l-6.5 18-4-7.5L3 9.5z",
  shield: "M12 21c5-2 8-5 8-10V5.5L12 3 4 5.5V11c0 5 3 8 8 10ZM8.5 12l2.5 2.5 4.5-5",
  sliders: "M4 7h9M17 7h3M15 4.5v5M4 17h3M11 17h9M9 14.5v5",
  star: "m12 3.8 2.5 5.2 5.7.8-4.1 4 1 5.7L12 16.8l-5.1 2.7 1-5.7-4.1-4 5.7-.8z",
  sun: "M12 16.5a4.5 4.5 0 1 0 0-9 4.5 4.5 0 0 0 0 9ZM12 2.5v2M12 19.5v2M2.5 12h2M19.5 12h2M5.3 5.3l1.4 1.4M17.3 17.3l1.4 1.4M5.3 18.7l1.4-1.4M17.3 6.7l1.4-1.4",
  system: "M4 5h16a1 1 0 0 1 1 1v10a1 1 0 0 1-1 1H4a1 1 0 0 1-1-1V6a1 1 0 0 1 1-1ZM9 20.5h6M12 17v3.5",
  trash: "M4 6.5h16M9 6.5V4h6v2.5M6 6.5 7 20h10l1-13.5M10 10.5v5.5M14 10.5v5.5",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name, filled = false, size = 20 }: { name: IconName; filled?: boolean; size?: number }) {
  return (
    <svg class="icon" width={size} height={size} viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <path class={filled ? "icon-filled" : "icon-stroke"} d={PATHS[name]} />
    </svg>
  );
}

/** The wild goose with its letter's seal. */
export function Goose({ size = 28 }: { size?: number }) {
  return (
    <svg class="goose" width={size} height={size} viewBox="0 0 64 64" aria-hidden="true" focusable="false">
      <rect class="goose-seal" width="64" height="64" rx="15" />
      <path
        class="goose-bird"
        d="M9 36c8-13 16-15 22-7l2 3c4-11 11-16 22-16-8 4-11 9-13 17-2 9-8 14-17 14 4-3 6-6 6-9-4-7-12-8-22-2Z"
      />
    </svg>
  );
}
