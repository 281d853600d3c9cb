/** What the trail calls what was done, and what time says that nobody did. One that has no words here is shown as it is
 * written there. */
import { texts } from '../../i18n'

export const deeds = texts(
  {
    'alert.claim': '认领', 'alert.release': '放回', 'alert.hand_over': '移交', 'alert.escalate': '转上级', 'alert.decide': '研判', 'alert.rectify': '记录处置', 'alert.close': '结案', 'alert.reopen': '重开',
    'alert.undo': '撤销', 'alert.note': '记一笔', 'alert.miss': '报漏', 'alert.cue': '提示场控', 'alert.corrected': '已纠正', 'time.claim': '没人按时认领', 'time.decide': '没有按时研判', 'alert.lease': '认领到期，放回', 'alert.hidden': '暂缓', 'alert.freed': '放出', 'cue.answer': '回应提示', 'room.link': '发场控链接', 'room.unlink': '收回场控链接',
    'user.put': '改用户', 'user.invite': '发邀请', 'user.join': '接受邀请', 'password.change': '改密码', 'session.open': '登录', 'session.end': '登出', 'session.refuse': '登录被拒', 'session.replayed': '旧登录被冒用',
    'list.export': '导出', 'list.expire': '到期清除', 'check.made': '检查台本', 'handed.answer': '回复协同', 'channel.test': '试通知渠道', 'labels.give': '给标注', 'label.withdraw': '撤回标注',
    'rules.reload': '重读规则', 'rule.save': '保存规则', 'rule.dry_run': '试跑规则', 'rule.dry_run_stop': '停掉试跑', 'rule.publish': '发布规则', 'rule.schedule': '定时发布', 'rule.cancel': '取消发布', 'rule.refuse': '发布被拒',
    'training.begin': '开始学习',
  },
  {
    'alert.claim': 'Claimed', 'alert.release': 'Put back', 'alert.hand_over': 'Handed over', 'alert.escalate': 'Escalated', 'alert.decide': 'Decided', 'alert.rectify': 'Remedy recorded', 'alert.close': 'Closed', 'alert.reopen': 'Reopened',
    'alert.undo': 'Undone', 'alert.note': 'Noted', 'alert.miss': 'Miss reported', 'alert.cue': 'Control room cued', 'alert.corrected': 'Corrected', 'time.claim': 'Not claimed in time', 'time.decide': 'Not decided in time', 'alert.lease': 'Claim ran out', 'alert.hidden': 'Held', 'alert.freed': 'Released', 'cue.answer': 'Cue answered', 'room.link': 'Room link made', 'room.unlink': 'Room link ended',
    'user.put': 'User: put', 'user.invite': 'Invited', 'user.join': 'Joined', 'password.change': 'Password changed', 'session.open': 'Signed in', 'session.end': 'Signed out', 'session.refuse': 'Sign-in refused', 'session.replayed': 'Old session replayed',
    'list.export': 'Exported', 'list.expire': 'Expired', 'check.made': 'Script checked', 'handed.answer': 'Partner answered', 'channel.test': 'Channel tested', 'labels.give': 'Labelled', 'label.withdraw': 'Label withdrawn',
    'rules.reload': 'Rules reread', 'rule.save': 'Rule saved', 'rule.dry_run': 'Rule tried', 'rule.dry_run_stop': 'Trial stopped', 'rule.publish': 'Rule published', 'rule.schedule': 'Rule scheduled', 'rule.cancel': 'Publishing cancelled', 'rule.refuse': 'Publishing refused',
    'training.begin': 'Training begun',
  },
)

/** What belongs to a deed, and who did it where that is no person. */
export const facts = texts(
  {
    is: '现为', disabled: '停用', version: '版本', previous: '原先', before: '原状态', after: '现状态', room: '直播间', name: '名称', labels: '标注', event: '事件', cue: '提示', expires_at: '有效至', link: '链接', grants: '角色', unit: '单元', post: '岗位', why: '原因', reason: '理由', clause: '条款', outcome: '结论', say: '话术', quote: '原话', lines: '行', word: '词', worst: '最重', cases: '用例', failed: '未通过', findings: '发现', format: '格式', scopes: '权限', tenant: '租户', starts: '开始', due: '到期', hours: '小时', of: '对象', answer: '回复', kind: '类型', to: '交给',
    time: '到时', loopback: '本机', 'set-up': '初始化', system: '系统',
  },
  {
    is: 'now', disabled: 'disabled', version: 'version', previous: 'before', before: 'was', after: 'is', room: 'room', name: 'name', labels: 'labels', event: 'event', cue: 'cue', expires_at: 'until', link: 'link', grants: 'roles', unit: 'unit', post: 'post', why: 'why', reason: 'reason', clause: 'clause', outcome: 'outcome', say: 'say', quote: 'quote', lines: 'lines', word: 'word', worst: 'worst', cases: 'cases', failed: 'failed', findings: 'findings', format: 'format', scopes: 'scopes', tenant: 'tenant', starts: 'starts', due: 'due', hours: 'hours', of: 'of', answer: 'answer', kind: 'kind', to: 'to',
    time: 'time', loopback: 'this machine', 'set-up': 'set-up', system: 'system',
  },
)
