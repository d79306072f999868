/** A labelled field whose error stands beside it, and is read out with it. */
import type { ComponentChildren } from "preact";
import { useId } from "preact/hooks";

export interface FieldProps {
  readonly id: string;
  readonly "aria-invalid": boolean;
  readonly "aria-describedby"?: string;
}

export function Field(props: { label: string; error: string; children: (input: FieldProps) => ComponentChildren }) {
  const id = useId();
  const told = `${id}-error`;
  const input: FieldProps = props.error
    ? { id, "aria-invalid": true, "aria-describedby": told }
    : { id, "aria-invalid": false };
  return (
    <div class="field">
      <label for={id}>{props.label}</label>
      {props.children(input)}
      {props.error && (
        <p class="field-error" id={told}>
          {props.error}
        </p>
      )}
    </div>
  );
}

export function Check({ label, isOn, onChange }: { label: string; isOn: boolean; onChange: (on: boolean) => void }) {
  return (
    <label class="check">
      <input type="checkbox" checked={isOn} onChange={(event) => onChange(event.currentTarget.checked)} />
      <span>{label}</span>
    </label>
  );
}
