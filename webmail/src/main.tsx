import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/login.css";
import "./styles/mail.css";
import "./styles/settings.css";
import { effect } from "@preact/signals";
import { render } from "preact";
import { findSession } from "./api/session.ts";
import { language, t } from "./i18n/index.ts";
import { App } from "./ui/app.tsx";
import { followTheme } from "./ui/theme.ts";

followTheme();
effect(() => {
  document.documentElement.lang = language.value;
  document.title = t("app.name");
});
void findSession();

const root = document.getElementById("app");
if (root !== null) render(<App />, root);
