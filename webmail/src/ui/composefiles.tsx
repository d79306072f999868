/** The files of a letter that is being written, and those on their way into it. */
import { size, t } from "../i18n/index.ts";
import { type LetterFile, uploads } from "../mail/files.ts";
import { Icon } from "./icons.tsx";

export function ComposeFiles({ files, onRemove }: { files: readonly LetterFile[]; onRemove: (at: number) => void }) {
  if (files.length + uploads.value.length === 0) return null;
  return (
    <ul class="compose-files" aria-label={t("read.attachments")}>
      {files.map((file, at) => (
        <li key={`${file.name}/${at}`} class="attachment">
          <span class="attachment-open">
            <Icon name="attachment" size={18} />
            <span class="attachment-name">{file.name}</span>
            <span class="attachment-size">{size(file.size)}</span>
          </span>
          <button
            type="button"
            class="icon-button"
            aria-label={t("compose.removeFile", { name: file.name })}
            onClick={() => onRemove(at)}
          >
            <Icon name="close" size={16} />
          </button>
        </li>
      ))}
      {uploads.value.map((one) => (
        <li key={one.key} class="attachment">
          <span class="attachment-open">
            <span class="attachment-name">{one.name}</span>
            {one.failed ? (
              <span class="danger">{t("compose.uploadFailed")}</span>
            ) : (
              <progress value={one.done} aria-label={t("compose.uploading", { name: one.name })} />
            )}
          </span>
          <button
            type="button"
            class="icon-button"
            aria-label={t("compose.removeFile", { name: one.name })}
            onClick={one.stop}
          >
            <Icon name="close" size={16} />
          </button>
        </li>
      ))}
    </ul>
  );
}
