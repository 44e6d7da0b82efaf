import { dictionary } from "./dictionary";

/** What every page says. */
export const common = dictionary({
  "app.title": ["Drone AED control", "无人机AED投送管控"],
  "app.language": ["中文", "English"],
  "app.language_label": ["切换为中文", "Switch to English"],
  "app.skip": ["Skip to the content", "跳到主要内容"],
  "app.broken": ["This page could not be shown", "页面无法显示"],

  "nav.label": ["Pages", "页面"],
  "nav.operations": ["Operations", "指挥"],
  "nav.shortcuts": ["Keyboard", "快捷键"],
  "nav.no_permission": ["Your role has no access", "当前角色无权访问"],

  "mode.demo": ["DEMO · simulated · {speedup}× time", "演示 · 模拟无人机 · {speedup}倍速"],
  "mode.drill": ["DRILL: nobody is in need", "演练：无真实患者"],
  "mode.drill_short": ["DRILL", "演练"],
  "mode.drill_running": ["DRILL RUNNING", "演练进行中"],
  "mode.demo_short": ["DEMO", "演示"],

  "login.title": ["Log in", "登录"],
  "login.name": ["Name", "用户名"],
  "login.password": ["Password", "密码"],
  "login.submit": ["Log in", "登录"],
  "login.busy": ["Logging in …", "登录中……"],
  "login.demo": ["Demo: log in with one click as", "演示模式：一键登录为"],
  "login.wrong": [
    "Name or password is not right, or the account is locked or disabled.",
    "用户名或密码错误，或账号已锁定、停用。",
  ],
  "login.unreachable": ["The hub does not answer. Trying again by itself.", "服务器无响应，正在自动重试。"],
  "login.session_over": ["Your session is over. Log in again.", "登录已过期，请重新登录。"],
  "login.out": ["Log out", "退出登录"],

  "role.dispatcher": ["Dispatcher", "调度员"],
  "role.operator": ["Operator", "操作员"],
  "role.maintainer": ["Maintainer", "维护员"],
  "role.test_engineer": ["Test engineer (views only)", "测试工程师（只读）"],
  "role.viewer": ["Viewer (views only)", "观察员（只读）"],
  "role.auditor": ["Auditor (views only)", "审计员（只读）"],
  "role.administrator": ["Administrator", "管理员"],

  "link.live": ["Live", "实时"],
  "link.connecting": ["Connecting …", "连接中……"],
  "link.cut": ["CONNECTION CUT for {seconds} s", "连接中断 {seconds} 秒"],
  "link.cut_explained": [
    "What you see is old. The drones fly on by themselves. Reconnecting …",
    "当前显示为旧数据。无人机仍按计划自主飞行。正在重新连接……",
  ],
  "link.cut_title": ["NOT LIVE", "非实时数据"],

  "problem.unreachable": ["The hub does not answer", "服务器无响应"],
  "problem.unexpected": ["Something went wrong", "发生错误"],
  "action.retry": ["Try again", "重试"],
  "action.close": ["Close", "关闭"],
  "action.cancel": ["Cancel", "取消"],
  "state.loading": ["Loading …", "加载中……"],
  "state.none": ["none", "无"],
  "state.unknown": ["unknown", "未知"],

  "unit.ago_s": ["{seconds} s ago", "{seconds} 秒前"],
  "unit.ago_min": ["{minutes} min ago", "{minutes} 分钟前"],
  "unit.ago_h": ["{hours} h ago", "{hours} 小时前"],

  "key.operations": ["Go to operations", "打开指挥页面"],
  "key.shortcuts": ["Show this page", "显示本页"],
  "key.language": ["Switch the language", "切换语言"],

  "shortcuts.title": ["Keyboard", "键盘快捷键"],
  "shortcuts.intro": [
    "Single keys work whenever no text field has the focus.",
    "光标不在输入框内时，单键即可使用。",
  ],
  "shortcuts.key": ["Key", "按键"],
  "shortcuts.does": ["What it does", "功能"],
  "shortcuts.group_everywhere": ["Everywhere", "通用"],
  "shortcuts.group_operations": ["Operations", "指挥页面"],
});
