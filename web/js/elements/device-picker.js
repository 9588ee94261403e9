import { h, uniqueId } from "../dom.js";
import { say, t } from "../i18n.js";
import { listDevices } from "../local-media.js";
import { remembered } from "../storage.js";

/** @typedef {import("../local-media.js").LocalMedia} LocalMedia */
/** @typedef {"camera" | "microphone" | "speaker"} DeviceRole */

/** @type {{role: DeviceRole, kind: MediaDeviceKind}[]} */
const ROLES = [
  { role: "camera", kind: "videoinput" },
  { role: "microphone", kind: "audioinput" },
  { role: "speaker", kind: "audiooutput" },
];

/**
 * Selects for camera, microphone and, where the browser can, speaker. Event: `vmeet-speaker` (detail: device id).
 */
export class DevicePicker extends HTMLElement {
  constructor() {
    super();
    /** @type {LocalMedia | null} */
    this.media = null;
    /** @type {Map<DeviceRole, HTMLSelectElement>} */
    this.selects = new Map();
    this.refreshed = () => this.refresh();
  }

  connectedCallback() {
    if (!this.childElementCount) this.build();
    navigator.mediaDevices?.addEventListener?.("devicechange", this.refreshed);
    this.media?.addEventListener("change", this.refreshed);
    this.refresh();
  }

  disconnectedCallback() {
    navigator.mediaDevices?.removeEventListener?.("devicechange", this.refreshed);
    this.media?.removeEventListener("change", this.refreshed);
  }

  /** @private */
  build() {
    for (const { role } of ROLES) {
      const id = uniqueId(role);
      const select = h("select", { id, "data-testid": `device-${role}`, onchange: () => this.chosen(role) });
      this.selects.set(role, select);
      this.append(h("div", { class: "field" }, h("label", { for: id, t: `devices.${role}` }), select));
    }
  }

  /** @private @param {DeviceRole} role */
  chosen(role) {
    const deviceId = this.selects.get(role)?.value ?? "";
    if (role !== "speaker") this.media?.choose(role, deviceId);
    else {
      remembered.setDevice(role, deviceId);
      this.dispatchEvent(new CustomEvent("vmeet-speaker", { detail: deviceId, bubbles: true }));
    }
  }

  async refresh() {
    const devices = await listDevices();
    for (const { role, kind } of ROLES) {
      const select = this.selects.get(role);
      if (select) this.offer(select, role, devices.filter((device) => device.kind === kind));
    }
  }

  /** @private @param {HTMLSelectElement} select @param {DeviceRole} role @param {MediaDeviceInfo[]} devices */
  offer(select, role, devices) {
    const current = this.currentOf(role);
    const field = select.parentElement;
    if (field) field.hidden = role === "speaker" && (!devices.length || !("setSinkId" in HTMLMediaElement.prototype));
    select.disabled = !devices.length;
    const options = devices.map((device, index) => {
      const name = device.label || t("devices.number", { count: index + 1 });
      return h("option", { value: device.deviceId, selected: device.deviceId === current }, name);
    });
    const none = h("option", { value: "" });
    say(none, "devices.none");
    select.replaceChildren(...(options.length ? options : [none]));
  }

  /** @private @param {DeviceRole} role */
  currentOf(role) {
    const inUse = role === "speaker" ? null : this.media?.[role].track?.getSettings().deviceId;
    return inUse ?? remembered.device(role);
  }
}

customElements.define("vmeet-devices", DevicePicker);
