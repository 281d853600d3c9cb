/** The card of each category, as a reviewer needs it beside an alert. Loaded when it is first asked for. */
import type { Language } from '../../i18n'
import type { Category } from '../../i18n/words'

export interface CategoryCard {
  /** What breaks it. */
  breaks: string
  /** What does not, although it sounds so. */
  not: string
  /** How it is usually disguised. */
  disguised: string
  /** What to say instead. */
  say: string
  exempt: string
}

export const CARDS: Record<Language, Record<Category, CategoryCard>> = {
  zh: {
    absolute_claim: {
      breaks: '卖方把所售之物说成没有更好的：顶级、唯一、第一、国家级，或换个说法的同样意思。',
      not: '说次序、时间、部位、尺码、型号或法定等级；只在自家几款里比；观众的感受；否定或纠正。',
      disguised: '拼音（zui 好）、谐音（醉便宜）、中间夹符号、形近字、全角字母、首字母缩写。',
      say: '讲查得到的事实：本店近三十天卖出多少、老顾客回购多少、今天的活动价。',
      exempt: '自家款之间比较、法定分级与称号、商标名等，要拿得出证明；二〇二六年起引证“第一”“最佳”不再豁免。',
    },
    false_promotion: {
      breaks: '当场看得出不实、编造或无出处的卖点：荣誉、产地、成分、数据、演示、贬低同行、卖惨促单。',
      not: '单凭一句话证伪不了的陈述；数据带机构、样本和范围；不点名的材质比较；观众质疑。',
      disguised: '特供写成“te 供”或夹点，“国推”一类行话，不说品牌只说“某音同款”。',
      say: '删掉没有依据的荣誉；数据写明谁测、何时、多少人；只讲自家材质与报告。',
      exempt: '真实、准确、有出处并写明适用范围；不贬低别人的参数对比；依法必须告知的内容。',
    },
    price_consumer: {
      breaks: '价格、库存、奖品、退换里有骗或不给：虚高原价、假库存、憋单、内定、拒退、好评返现、暗中收费。',
      not: '平台统一截止时间、真实库存、说明白的拼团与定金；生鲜定制例外且讲清赔付；观众抱怨涨价。',
      disguised: '好评返现夹波浪号，五星加红包用表情代替，“反现”“fx”。',
      say: '划线价写成近七日最低成交价并附截图；例外情形在付款前再提示一次；评价随意写。',
      exempt: '法律列明的不适用七天无理由的商品；无主观故意且顾客得到更多优惠。',
    },
    medical_claim: {
      breaks: '不是药械却说治病、防病、降指标，或用医疗用语叫人当成药；药械医疗又打包票、讲治愈率、请患者作证。',
      not: '劝人就医、遵医嘱；打比方；病虫害；口罩血压计的用途；审定说明书的原话；观众提问。',
      disguised: '高血压写成“高雪压”“三高”写成“3高”、“冶疗”、“那个毛病”、首字母 xxg。',
      say: '说清它是普通食品或普通护肤品；成分看标签；指标高去看医生。',
      exempt: '有审查证明并照审定内容讲；没有购买入口、不推荐机构的真实科普。',
    },
    efficacy_claim: {
      breaks: '普通食品说保健功能，普通化妆品说特殊功效；保健食品超出批准；保证有效、绝对安全、代替母乳。',
      not: '显瘦显白的衣服；合规的营养声称；批准或备案里的原话；“不是减肥药”；观众询问。',
      disguised: '“瘦shen”“镁白”“去ban”、首字母 JF、数字混字母“3Ojin”。',
      say: '照备案讲清洁、保湿、舒缓；报热量与成分；说效果因人而异。',
      exempt: '在批准、注册、备案范围内规范表述，并显著提示本品不能代替药物。',
    },
    promise_return: {
      breaks: '把说不准的钱或成绩说成一定有：保本、稳赚、三个月回本、包过、提分；拿受益者现身作证。',
      not: '风险提示；合同里的退费规则；存款、国债公告；口语“赚到了”；自嘲亏了。',
      disguised: '“稳zhuan”“保B息”、谷票、包和过中间夹符号、“三个8”代指日入。',
      say: '讲投入、风险和过去的得失；退费按合同哪一条；过不过看自己。',
      exempt: '国家另有规定的法定表述；持牌机构的合规投教。',
    },
    prohibited_trade: {
      breaks: '以小钱或送礼换中奖机会，或在卖不许这样卖的：烟、劝酒、处方药、野生动物、管制器具、假证。',
      not: '平台规则明示的福袋；名字撞词（油烟机、料酒、子弹头口红）；禁烟禁酒提醒；明确拒卖；有养殖许可。',
      disguised: '菠菜、6合、yan弹、棒棒糖、口粮、上头dz，用烟的表情代替字。',
      say: '酒只讲香型度数，不做饮酒动作，加上未成年人禁饮；处方药请凭方去药店。',
      exempt: '持证酒类店介绍工艺，无饮酒动作与劝饮；规则透明、最高奖不超过五万元的抽奖。',
    },
    minors: {
      breaks: '对象、主角或受害的是未成年人：诱其打赏购买集资，让其开播代言，拿来取乐，教其绕过保护，套其信息。',
      not: '劝阻与退款指引；童装选码、月龄提示；昵称；成年大学生；闲聊自家孩子上学。',
      disguised: 'wcn、小xue生、未城年、“穿校服的”“还没长大的”。',
      say: '对家长说：先看适用年龄和材质，同孩子商量再定；没满十八别送礼。',
      exempt: '监护人在场、不推荐不代言的童装展示；公益科普。',
    },
    personal_info: {
      breaks: '能认出某个人的信息被要、被露、被卖：电话、住址、证件、验证码、病历、聊天记录，在公屏或镜头前。',
      not: '订单尾号、身高体重、企业电话；在平台后台填写；打了码；提醒别报号码；拒绝透露。',
      disguised: '号码写成汉字或每位夹横线，sfz，“四件套”，“手机hao”。',
      say: '地址在订单里改，公屏别留；有纠纷走平台，不说是谁。',
      exempt: '履行合同所必需并在后台填写；企业公开的联系方式。评论先撤回再记录，留证要脱敏。',
    },
    offsite_fraud: {
      breaks: '把人或钱带出平台，或骗钱骗号：加站外号、私下转账、假客服、垫付刷单、租号、拉人头。',
      not: '平台粉丝群、商品页客服、平台内微信支付；防骗提醒；撞词（微辣、卫衣）；只摆身份无所求。',
      disguised: '薇、围、卫加“信”，绿泡泡、扣扣、企鹅、➕、拆字“力口”、全角 ｗｘ。',
      say: '请点商品页客服，或左上角的平台粉丝群。',
      exempt: '平台授权的私域组件、认证商家的官方客服入口；法定投诉渠道。',
    },
    vulgar_sexual: {
      breaks: '引人往性上想，或拿性换东西：双关、以身换礼、招嫖、淫秽引流、性骚扰、嘴对嘴之类惩罚。',
      not: '内衣尺码与厚薄；生理健康讲解；作风格讲的“性感”；水果口感；普通约见。',
      disguised: 'yp、福莉、裸廖、拆成“女乔”、水果表情组合。',
      say: '讲面料透光与搭配：对光略透，建议配肤色打底。',
      exempt: '规范的生理健康、母婴、内衣专业讲解。涉及未成年人一律最高级。',
    },
    dangerous_conduct: {
      breaks: '照着做会伤身伤命伤动物，或把人带坏：自残怂恿、高危动作、拼酒催吐、虐待、迷信卖点、炫富贬人。',
      not: '专业防护并提示勿仿；劝阻；宰鱼教学；只讲文化寓意。自己说想死的是关怀，不是违规。',
      disguised: '开咣、转孕、自惨、赵财，催和吐之间夹符号。',
      say: '讲寓意与工艺：图案好看，没有别的作用；量力而行；停车后再播。',
      exempt: '安全教育、救助，以及有显著提示的持证专业表演。',
    },
    abuse_harassment: {
      breaks: '冲着某人或某群人的辱骂、羞辱、威胁、煽动围攻，或按地域性别职业残障整体贬低。',
      not: '自嘲；口头禅（笑死）；文明的差评；劝和；方言昵称；撞词（滚筒、狗粮）。',
      disguised: 'nmsl、煞笔、748、拆字“亻尔”、字间夹星号。',
      say: '再说一遍就好：快递一般两到三天。有分歧对事不对人。',
      exempt: '真实的消费投诉与批评。不得借本类压住合法的差评。',
    },
    counterfeit_quality: {
      breaks: '货是假的、坏的、偷来的或来路不明：仿牌、盗播、掺假、过期翻新、三无、有毒、冒用认证。',
      not: '如实说明的仿皮、临期、二手、培育钻；翡翠 A 货；授权齐全；观众问真假。',
      disguised: 'gf、A祸、高访、园单、驴牌、“懂的都懂那个牌子”。',
      say: '自有品牌，面料是什么就说什么，与别的品牌无关联。',
      exempt: '真实并显著告知的瑕疵、二手、临期和平替，不借他人商标。',
    },
    spam_fakedata: {
      breaks: '数字、评论、礼物或热闹是自己造的：机器人、假单、托儿、自刷、代刷服务；或按频次成立的刷屏。',
      not: '扣一、表情、已拍；平台的福袋口令和点赞玩法；单条短重复；如实更正数据。',
      disguised: '涮粉、人qi、rq、涨汾、拆字“亻气”。',
      say: '在线多少就说多少；有问题打公屏，一条一条回。',
      exempt: '平台官方的互动玩法；一次性的短重复和表情。',
    },
    identity_ai: {
      breaks: '说话人是谁、凭什么说、是不是真人、是不是广告有隐瞒：无证下结论、冒充身份、没用过就推荐、AI 不标识。',
      not: '持证报备；广告和 AI 已标明；只讲个人经历；叫人去看医生；观众问是不是 AI。',
      disguised: '矮爱、sz人、换lian、声英克龙、去biao识。',
      say: '开播先说：由数字人播报，声音画面是合成的，左上角持续标识。专业的事请找持证的人。',
      exempt: '法定三种可识别情形；不涉专业判断的日常分享。',
    },
    reward_inducement: {
      breaks: '压、骗、诱成年人掏钱送礼：催票羞人、以受罚要挟、许恋爱见面、编身世、返利抽奖、催借贷、套老人。',
      not: '道谢；说一次、不附后果的邀请；讲规则和价格；劝人少送；观众自己要送；轻微惩罚。',
      disguised: 'da赏、嘉nian华、礼勿、没piao别说话、续命水、上点燃料、火箭表情。',
      say: '随便聊，票看心情，量力而行；输了唱一首，不用花钱；养老钱自己留着。',
      exempt: '一般致谢、免费互动、带理性提示的规则说明；平台官方活动；困难走认证的公益渠道。',
    },
  },
  en: {
    absolute_claim: {
      breaks: 'The seller calls what is on sale the best there can be: top, unique, number one, state-level, or the same in other words.',
      not: 'Order, time, place, size, model or a legal grade; comparing one\'s own lines; a viewer\'s taste; a denial or correction.',
      disguised: 'Pinyin, homophones, signs put between the characters, lookalikes, full-width letters, initials.',
      say: 'Facts that can be checked: sold in this shop in 30 days, how many came back, today\'s price.',
      exempt: 'Own-line comparison, legal grades and titles, trade marks: with proof. From 2026 a cited \'first\' or \'best\' is exempt no more.',
    },
    false_promotion: {
      breaks: 'A selling point that is visibly untrue, made up or without source: honours, origin, content, data, demonstrations, running down rivals, sob stories.',
      not: 'What one sentence cannot disprove; data with institute, sample and scope; comparing materials without names; a viewer\'s doubt.',
      disguised: 'Pinyin or dots inside \'special supply\', slang for a state recommendation, \'same as a certain app\'.',
      say: 'Drop honours without proof; say who measured, when, how many; speak of one\'s own material and report.',
      exempt: 'True, exact, sourced, with its scope shown; a fair comparison of figures; what the law makes one tell.',
    },
    price_consumer: {
      breaks: 'Deceit or refusal in price, stock, prizes or returns: false was-prices, sham scarcity, stalling, rigged draws, no returns, paid reviews, hidden charges.',
      not: 'A platform\'s deadline, real stock, terms told in full; fresh or made-to-order goods with what is paid for damage; a viewer\'s complaint.',
      disguised: 'Tildes inside \'cash for praise\', stars and red packets as emoji, homophones of \'cashback\'.',
      say: 'The lowest price of the last seven days with a screenshot; exceptions told again before payment; reviews as one likes.',
      exempt: 'Goods that the law leaves out of seven-day returns; no intent and a better deal for the buyer.',
    },
    medical_claim: {
      breaks: 'No drug or device, yet said to cure, prevent or lower readings, or dressed up as medicine; drugs and clinics that promise, cite cure rates or show patients.',
      not: 'Sending people to a doctor; figures of speech; plant disease; what a mask or cuff is for; the approved leaflet; a viewer\'s question.',
      disguised: 'Homophones of blood pressure and cure, \'three highs\' with a digit, \'that trouble\', initials.',
      say: 'Say that it is plain food or skin care, that the label lists what is in it, and that readings are for a doctor.',
      exempt: 'An approved advertisement, word for word; true education with nothing to buy and no clinic named.',
    },
    efficacy_claim: {
      breaks: 'Plain food with health functions, plain cosmetics with special effects, supplements beyond their approval; sure results, absolute safety, in place of breast milk.',
      not: 'Clothes that slim; lawful nutrition claims; the filed wording; \'this is no slimming pill\'; a viewer\'s question.',
      disguised: 'Pinyin inside \'slim\', homophones of whitening, initials, digits mixed with letters.',
      say: 'The filed effects: cleaning, moisture, soothing; calories and contents; results differ from person to person.',
      exempt: 'The approved or filed wording, with the plain note that it does not replace medicine.',
    },
    promise_return: {
      breaks: 'Uncertain money or results told as certain: principal safe, sure profit, money back in three months, a sure pass; people who gained as witnesses.',
      not: 'Warnings of risk; refund terms of a contract; deposits and bonds as published; \'a bargain\' in speech; joking about losses.',
      disguised: 'Pinyin inside \'sure profit\', homophones of stock, signs inside \'sure pass\', digits for earnings.',
      say: 'Cost, risk and past results both ways; which clause refunds; passing is up to oneself.',
      exempt: 'Wording that the state lays down; investor education by a licence holder.',
    },
    prohibited_trade: {
      breaks: 'A small stake or a gift for a chance to win; or goods that must not be sold so: tobacco, drinking on air, prescription drugs, wildlife, weapons, forged papers.',
      not: 'A platform\'s lucky bag with rules; names that only sound so (cooker hood, cooking wine); warnings; refusing to sell; licensed farming.',
      disguised: 'Vegetable names for betting, pinyin for tobacco, sweets and \'rations\' as code words, the cigarette emoji.',
      say: 'Wine by aroma and strength, no drinking, \'not for minors\'; prescription drugs at a pharmacy.',
      exempt: 'A licensed wine shop that tells of making, with no drinking or urging; open draws with prizes of 50,000 yuan at most.',
    },
    minors: {
      breaks: 'A minor is addressed, shown or harmed: lured to give or buy, made to host or endorse, made fun of, shown round the safeguards, asked for data.',
      not: 'Advice against it and refunds; sizes and ages on labels; nicknames; adult students; small talk about one\'s child.',
      disguised: 'Initials, pinyin inside \'pupil\', homophones of \'minor\', \'those in school uniform\'.',
      say: 'To parents: look at age and material, talk it over with the child; under 18, send no gifts.',
      exempt: 'Children\'s clothes shown beside a guardian, without endorsing; public education.',
    },
    personal_info: {
      breaks: 'What identifies a person is asked for, shown or sold: telephone, address, papers, codes, records, chats, on screen or in chat.',
      not: 'Order endings; height and weight; company numbers; forms of the platform; masked text; warnings; refusing to tell.',
      disguised: 'Numbers in characters or with dashes, initials for identity card, \'the set of four\'.',
      say: 'Change the address in the order, leave nothing in chat; disputes go through the platform, no names.',
      exempt: 'What a contract needs, in the platform\'s forms; published company contacts. Take the comment back first, keep proof masked.',
    },
    offsite_fraud: {
      breaks: 'People or money led off the platform, or cheated: outside accounts, private transfers, false support, paid-ahead tasks, renting accounts, recruiting.',
      not: 'The platform\'s group, support and payment; warnings of fraud; words that only sound so; claiming a rank and asking for nothing (identity).',
      disguised: 'Homophones of WeChat, green bubbles, penguin, plus signs, split characters, full-width letters.',
      say: 'Use the support on the product page or the platform\'s fan group.',
      exempt: 'Parts that the platform approves, a verified shop\'s support entry; lawful complaint lines.',
    },
    vulgar_sexual: {
      breaks: 'Leads thoughts to sex or trades on it: innuendo, the body for gifts, soliciting, traffic to obscenity, harassment, kissing forfeits.',
      not: 'Sizes and cloth of underwear; health; \'sexy\' as a style; how fruit tastes; meeting friends.',
      disguised: 'Initials, homophones of \'benefit\' and \'naked chat\', split characters, fruit emoji.',
      say: 'Speak of the cloth: slightly sheer against light, wear a skin tone below.',
      exempt: 'Professional talk of health, mothers and babies, underwear. With minors always the gravest level.',
    },
    dangerous_conduct: {
      breaks: 'Harms body, life or animals if copied, or misleads: urging self-harm, stunts, drinking and vomiting, cruelty, superstition as a selling point, showing off.',
      not: 'Professional protection with a warning; talking out of it; cleaning fish; meaning in culture. One\'s own wish to die is care, not a violation.',
      disguised: 'Homophones of consecration, luck and self-harm, signs inside \'vomit\'.',
      say: 'Meaning and craft: a pretty pattern and nothing more; within one\'s limits; after parking.',
      exempt: 'Safety education, rescue, licensed performance with a clear warning.',
    },
    abuse_harassment: {
      breaks: 'Aimed at a person or group: insults, humiliation, threats, calls to mob, contempt by region, sex, work or disability.',
      not: 'Jokes about oneself; \'dying of laughter\'; civil bad reviews; making peace; dialect pet names; words that only look so.',
      disguised: 'Initials, homophones, numbers, split characters, asterisks.',
      say: 'Say it once more: delivery takes two to three days. Speak of the matter, not of the person.',
      exempt: 'Real complaints and criticism. This category must not silence a lawful bad review.',
    },
    counterfeit_quality: {
      breaks: 'Goods that are fake, bad, stolen or of unknown origin: copies, pirated streams, adulterated, out of date, unlabelled, toxic, false certificates.',
      not: 'Imitation leather, short-dated, used or lab-grown, told as such; grade A jade; full licences; a viewer asking whether it is real.',
      disguised: 'Initials, homophones of \'copy\' and \'original order\', nicknames of brands, \'you know which\'.',
      say: 'Our own brand, of such a material, with no tie to any other brand.',
      exempt: 'Flaws, used, short-dated and alternatives, told truly and plainly, with nobody else\'s mark.',
    },
    spam_fakedata: {
      breaks: 'Figures, comments, gifts or bustle of one\'s own making: bots, sham orders, shills, self-gifts, selling such services; or flooding by count.',
      not: 'Typing 1, emoji, \'bought\'; the platform\'s passwords and likes; one short repeat; correcting a figure.',
      disguised: 'Homophones and pinyin of \'fans\' and \'popularity\', initials, split characters.',
      say: 'As many as are online; questions in chat, answered one by one.',
      exempt: 'The platform\'s own games; a single short repeat or emoji.',
    },
    identity_ai: {
      breaks: 'Who speaks, by what right, whether a person, whether paid is hidden: verdicts without licence, false identity, praise of what was never used, AI without label.',
      not: 'Licensed and filed; ad and AI labels shown; one\'s own story; sending people to a doctor; a viewer asking about AI.',
      disguised: 'Homophones of AI, initials for digital human, pinyin inside \'face swap\' and \'label\'.',
      say: 'At the start: a digital human speaks, picture and voice are made, the label stays on. Professional questions go to the licensed.',
      exempt: 'The three lawful ways by which an ad is recognised; everyday sharing without professional judgement.',
    },
    reward_inducement: {
      breaks: 'Adults pressed, deceived or lured into gifts: shaming for votes, forfeits as a threat, promised romance, made-up hardship, cashback, draws, debt, the elderly.',
      not: 'Thanks; one invitation without consequence; rules and prices; asking for less; a viewer\'s own wish; mild forfeits.',
      disguised: 'Pinyin inside \'reward\', homophones of gift, \'fuel\', \'life water\', the rocket emoji.',
      say: 'Chat freely, votes as you like, within your means; if I lose I sing; keep your pension.',
      exempt: 'Plain thanks, free games, rules with a word of caution; the platform\'s events; hardship by verified charity.',
    },
  },
}
