/** What a reader chooses once: language and appearance. */
import { LANGUAGES, type Language, language, setLanguage, t } from "../i18n/index.ts";
import { Icon, type IconName } from "./icons.tsx";
import { setTheme, THEMES, type Theme, theme } from "./theme.ts";

const THEME_ICONS: Record<Theme, IconName> = { system: "system", light: "sun", dark: "moon" };

export function LanguageSwitch() {
  return (
    <label class="switch">
      <Icon name="globe" size={18} />
      <span class="visually-hidden">{t("settings.language")}</span>
      <select value={language.value} onChange={(event) => setLanguage(event.currentTarget.value as Language)}>
        {LANGUAGES.map(({ id, name }) => (
          <option key={id} value={id} lang={id}>
            {name}
          </option>
        ))}
      </select>
      <Icon name="chevronDown" size={14} />
    </label>
  );
}

export function ThemeSwitch() {
  return (
    <fieldset class="segments">
      <legend class="visually-hidden">{t("settings.theme")}</legend>
      {THEMES.map((each) => (
        <label key={each} class="segment" title={t(`theme.${each}`)}>
          <input
            type="radio"
            name="theme"
            value={each}
            checked={theme.value === each}
            onChange={() => setTheme(each)}
            aria-label={t(`theme.${each}`)}
          />
          <Icon name={THEME_ICONS[each]} size={18} />
        </label>
      ))}
    </fieldset>
  );
}
