// A form that the bot opened, in a native dialog: focus stays inside and Escape closes it.
import { useEffect, useRef, useState } from "preact/hooks";
import { html } from "./api.js";
import { markdown } from "./markdown.js";

const inputsOf = (modal) =>
  modal.components.flatMap((it) => {
    const input = it.type === 1 ? it.components[0] : it.component;
    return input === undefined ? [] : [{ ...input, label: it.label ?? input.label, hint: it.description }];
  });

export function Modal({ modal, submit, close, entities }) {
  const dialog = useRef(null);
  const [error, setError] = useState("");
  useEffect(() => dialog.current.showModal(), []);
  const send = async (event) => {
    event.preventDefault();
    const data = new FormData(event.currentTarget);
    const inputs = Object.fromEntries(
      inputsOf(modal).map((it) => [
        it.custom_id,
        it.type === 4 ? (data.get(it.custom_id) ?? "") : data.getAll(it.custom_id).filter(Boolean),
      ]),
    );
    try {
      await submit(inputs);
    } catch (problem) {
      setError(problem.message);
    }
  };
  return html`<dialog ref=${dialog} class="modal" aria-labelledby="modal-title" onClose=${close}>
    <form onSubmit=${send}>
      <h2 id="modal-title">${modal.title}</h2>
      ${modal.components.filter((it) => it.type === 10).map((it) => html`<p>${markdown(it.content, () => undefined)}</p>`)}
      ${inputsOf(modal).map(
        (
          it,
        ) => html`<label key=${it.custom_id}><span>${it.label}${it.required === false ? "" : html` <em aria-hidden="true">*</em>`}</span>
        ${it.hint && html`<small>${it.hint}</small>`}<${Input} input=${it} entities=${entities} /></label>`,
      )}
      ${error && html`<p class="error" role="alert">${error}</p>`}
      <div class="row end">
        <button type="button" class="button secondary" onClick=${() => dialog.current.close()}>Cancel</button>
        <button type="submit" class="button primary">Submit</button>
      </div>
    </form>
  </dialog>`;
}

function Input({ input: it, entities }) {
  const common = { name: it.custom_id, required: it.required !== false };
  if (it.type === 4) {
    const text = {
      ...common,
      minlength: it.min_length,
      maxlength: it.max_length ?? 4000,
      placeholder: it.placeholder ?? "",
    };
    return it.style === 2
      ? html`<textarea rows="5" ...${text}>${it.value ?? ""}</textarea>`
      : html`<input type="text" ...${text} value=${it.value ?? ""} />`;
  }
  if (it.type === 19) return html`<small>File inputs are not supported on this page yet.</small>`;
  const many = (it.max_values ?? 1) > 1;
  const options = it.options ?? entities(it.type);
  return html`<select ...${common} multiple=${many}>
    ${!many && html`<option value="">${it.placeholder ?? "Choose"}</option>`}
    ${options.map((option) => html`<option value=${option.value} selected=${option.default}>${option.label}</option>`)}
  </select>`;
}
