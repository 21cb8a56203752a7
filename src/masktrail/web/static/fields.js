// Fields that show what the marks say: marks come back from the server while one types on.

// Hands over what was entered once it is entered.
export function onEntered(input, take) {
  input.addEventListener("input", () => { input.dataset.typing = "yes"; });
  input.addEventListener("change", () => {
    delete input.dataset.typing;
    take(input.value);
  });
  input.addEventListener("blur", () => { delete input.dataset.typing; });
}

// Shows a value, unless another one is being entered.
export function showValue(input, value) {
  if (!input.dataset.typing) input.value = value;
}
