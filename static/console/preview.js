// The real widget with settings that are not saved: chat/config is answered from the frame's address, everything that
// would write is answered here, so that trying out makes no conversation.
(() => {
  "use strict";
  const { site_key: siteKey, config } = JSON.parse(decodeURIComponent(location.hash.slice(1)) || "{}");
  const realFetch = window.fetch.bind(window);

  const json = (values) => new Response(JSON.stringify({ success: true, ...values }), {
    headers: { "Content-Type": "application/json" },
  });

  async function shownConfig(request) {
    const saved = await (await realFetch(request)).json();
    return json({
      ...saved,
      name: config.bot_name,
      avatar_url: config.bot_avatar_url,
      welcome_message: config.welcome_message,
      primary_color: config.primary_color,
      header_color: config.header_color || config.primary_color,
      position: config.position,
      button_style: config.button_style,
      starters: config.starters,
      upload: config.photo_upload_enabled,
      operator: config.operator_enabled,
      forms: {
        ...saved.forms, collect_data: config.collect_data, collect_email: config.collect_email,
        lead_when: config.lead_when,
      },
      nudges: [],
    });
  }

  function answer() {
    const events = [
      { type: "chunk", content: "This is only a preview: " },
      { type: "chunk", content: "here your visitors read the answer." },
      {
        type: "done",
        meta: { conversation_id: 1, message_id: null, reply_id: 2, mode: "ai", finish_reason: "stop", sources: [] },
      },
    ];
    const text = events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join("");
    return new Response(text, { headers: { "Content-Type": "text/event-stream" } });
  }

  window.fetch = async (request, options = {}) => {
    const { pathname } = new URL(request.url || request, location.href);
    const method = options.method || request.method || "GET";
    if (!pathname.startsWith("/api/")) return realFetch(request, options);
    if (pathname.endsWith("/chat/config")) return shownConfig(request);
    if (pathname.endsWith("/chat/stream") && method === "POST") return answer();
    if (pathname.endsWith("/chat/history")) {
      return json({ messages: [], has_more: false, conversation_id: null, mode: "ai", cursor: 0 });
    }
    return json({ messages: [], mode: "ai", cursor: 0, blocked: false, unread: 0, typing: false });
  };
  // The widget takes the focus when it opens; whoever is typing in the settings keeps it here.
  HTMLElement.prototype.focus = () => {};
  // Live push would show what other visitors of this browser wrote; here there is none.
  window.EventSource = class extends EventTarget {
    readyState = 0;
    close() {}
  };
  // The site's own pages may be on this origin, with a conversation that the preview must neither show nor change.
  for (const name of ["localStorage", "sessionStorage"]) {
    Object.defineProperty(window, name, { value: memory(), configurable: true });
  }
  window.BroadcastChannel = class extends EventTarget {
    postMessage() {}
    close() {}
  };

  function memory() {
    const kept = new Map();
    return {
      getItem: (key) => kept.get(key) ?? null,
      setItem: (key, value) => kept.set(key, String(value)),
      removeItem: (key) => kept.delete(key),
      key: (place) => [...kept.keys()][place] ?? null,
      get length() {
        return kept.size;
      },
    };
  }

  const tag = document.createElement("script");
  tag.dataset.key = siteKey;
  tag.dataset.open = "";
  tag.src = "/widget/chatbot.js";
  document.body.append(tag);
})();
