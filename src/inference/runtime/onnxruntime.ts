// Read at the first session: otherwise the runtime sends usage data to Microsoft and leaves files in the
// working folder.
process.env.ORT_DISABLE_TELEMETRY = "1";

/** ONNX Runtime as this program uses it; nothing else imports the package. */
export { env, InferenceSession, listSupportedBackends, Tensor } from "onnxruntime-node";
