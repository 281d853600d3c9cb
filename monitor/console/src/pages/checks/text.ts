import { texts } from '../../i18n'

export const TEXT = texts(
  {
    scripts: '台本', fresh: '新检查', none: '还没有检查过台本', noneHint: '开播前把台本贴进来：哪句话犯哪条、怎么改说，逐行标出', loading: '正在读', more: '更早的', again: '重试',
    name: '名称', nameHint: '同名再检查，算下一版', room: '直播间（可不填）', roomHint: '规则会用到它的商品、资质和价格', script: '台本', paste: '贴在这里，一段一行；也可以把 .txt .md .docx 文件拖进来',
    file: '选文件', fileChosen: '文件：{name}', dropFile: '不用这个文件', wrongFile: '只收 .txt、.md、.docx', tooLarge: '超过 1,000,000 字节，请分成几份', check: '检查', checking: '正在检查', mayNot: '你可以看，检查台本要有排班权限（plan）',
    version: '第 {v} 版', versions: '各版本', findings: '{n} 处', clean: '没有问题', before: '上一版 {n} 处', lines: '{n} 行', lineNo: '第 {n} 行', by: '{who}', missing: '缺少的说明', rejected: '读不出的行', rejectedLine: '第 {n} 行：{why}',
    onlyFound: '只看有问题的行', allLines: '看全部行', pick: '按 J 到第一处', nothing: '这一版没有发现问题', clause: '依据', advice: '建议', rewrite: '改说', apply: '换成', leaveOut: '删去“{from}”', nothingThere: '删去', exempt: '有证明可豁免：{clause}', category: '类别', also: '同样的话另见', alsoFound: '另见 {n} 条',
    unverified: '来源未核', notInForce: '当日未施行', disguised: '规避写法', edit: '改这一行', back: '还原', edited: '已改', emptied: '这一行删去',
    changes: '改了 {n} 行', recheck: '检查为第 {v} 版', drop: '全部还原', masked: '保存的版本已遮盖联系方式，再检查前请在行里补回', trouble: '没有检查成：{why}', stale: '这是第 {v} 版，最新是第 {n} 版', latest: '看最新', difference: '与第 {v} 版比', close: '关闭对比',
    same: '两版逐字相同', gone: '删', came: '增', kept: '没有变的 {n} 行', compare: '第 {a} 版 → 第 {b} 版', list: '台本逐行', detail: '这一处', missingHere: '全文', notFound: '没有这次检查，或不在你的范围内', all: '第 {n} / {m} 处', engine: '规则与分类器 {id}', keys: 'J K 逐处 · Y 换说法 · E 改这一行 · F 只看问题 · C 再检查',
  },
  {
    scripts: 'Scripts', fresh: 'New check', none: 'No script was checked yet', noneHint: 'Paste a script before air: each line is marked with what it breaks and what to say instead', loading: 'Reading', more: 'Older', again: 'Try again',
    name: 'Name', nameHint: 'The same name again is its next version', room: 'Room (optional)', roomHint: 'Rules then know its products, papers and prices', script: 'Script', paste: 'Paste it here, one paragraph a line; or drop a .txt, .md or .docx file',
    file: 'Choose a file', fileChosen: 'File: {name}', dropFile: 'Leave this file out', wrongFile: 'Only .txt, .md and .docx', tooLarge: 'More than 1,000,000 bytes; send it in parts', check: 'Check', checking: 'Checking', mayNot: 'You may read; checking takes the permission plan',
    version: 'Version {v}', versions: 'Versions', findings: '{n} found', clean: 'nothing found', before: '{n} in the version before', lines: '{n} {n:line|lines}', lineNo: 'line {n}', by: '{who}', missing: 'Missing statements', rejected: 'Lines that could not be read', rejectedLine: 'Line {n}: {why}',
    onlyFound: 'Only lines with findings', allLines: 'All lines', pick: 'J goes to the first', nothing: 'Nothing was found in this version', clause: 'Clauses', advice: 'Advice', rewrite: 'Say instead', apply: 'Put in', leaveOut: 'Leave out "{from}"', nothingThere: 'left out', exempt: 'May be exempt with proof: {clause}', category: 'Categories', also: 'Says the same', alsoFound: '+{n} that {n:says|say} the same',
    unverified: 'source not verified', notInForce: 'not in force that day', disguised: 'disguised', edit: 'Edit this line', back: 'Restore', edited: 'changed', emptied: 'this line is left out',
    changes: '{n} {n:line|lines} changed', recheck: 'Check as version {v}', drop: 'Restore all', masked: 'Contact data were masked in what is kept; put them back before the next check', trouble: 'Not checked: {why}', stale: 'This is version {v}; the latest is {n}', latest: 'Show the latest', difference: 'Compare with version {v}', close: 'Close the comparison',
    same: 'The two versions are the same', gone: 'gone', came: 'new', kept: '{n} {n:line|lines} unchanged', compare: 'Version {a} → version {b}', list: 'Script, line by line', detail: 'This finding', missingHere: 'all', notFound: 'No such check, or it is not yours to see', all: '{n} of {m}', engine: 'Rules and classifier {id}', keys: 'J K findings · Y put in · E edit the line · F only findings · C check again',
  },
)
