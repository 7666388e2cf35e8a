export default {
  open: "打开聊天",
  messages: "消息", you: "您", placeholder: "输入您的消息", send: "发送", stop: "停止", retry: "重试",
  attach: "添加图片", remove: "移除", image: "图片", menu: "更多", close: "关闭", earlier: "更早的消息",
  fresh: "新对话", askPerson: "联系人工客服", nobody: "目前没有客服在线。", sources: "来源",
  contact: "留下联系方式", email: "电子邮箱", phone: "电话", name: "姓名", save: "保存", saved: "谢谢!",
  check: "请检查您填写的内容。", rate: "评价此次对话", stars: "{n} / 5 星", comment: "告诉我们更多(选填)", skip: "暂不",
  soundOn: "打开声音", soundOff: "关闭声音", typing: "{name} 正在输入…", unread: "{n} 条未读",
  offline: "没有网络连接。恢复后将立即发送您的消息。", failed: "操作未成功。",
  stopped: "已停止", interrupted: "已中断", blocked: "您无法在此聊天中发言。", until: "直到 {time}。",
  tooMany: "消息过多。请稍候,随后会发送您的消息。", imageFailed: "无法发送此图片。",
};
