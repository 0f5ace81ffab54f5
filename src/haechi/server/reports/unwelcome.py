"""Words of the lists that nobody in a bad week should be handed as a code.

The BIP-39 lists were made for wallets. A code that holds one of these is drawn again; with about a
hundred of 2,048 places barred in each list, the 88 bits lose less than two and stay above the 80
of B01.
"""

ENGLISH = """
abuse accuse afraid alone assault attack bitter blame blood body boy broken bullet
burden cage camera chest crime cruel cry damage danger destroy disease doctor dumb
embrace escape evil expose fatal father fault finger ghost girl guard guilt gun hidden
horror hospital hunt hurt injury jealous kiss knife lady leg lonely mad mistake monster
nasty orphan panic photo picture pistol police poverty prison private punch reject
rifle rude sad scare secret shoot shock shy sick skin slim spy suffer suspect tragic
trap trial ugly upset useless video weapon weird whip wife witness woman worry wreck
wrong
"""
KOREAN = """
가슴 강도 강제 거짓 경찰 고통 공개 공격 공포 귀신 남편 녹화 눈물 담배 도둑 뒷모습 마누라 마약 몰래
몸매 몸살 몸속 몸짓 몸통 무덤 무릎 발가락 벌금 범인 범죄 병실 병원 부끄러움 부상 분노 불안 비난
비디오 비명 비밀 사건 사생활 사진 살인 상처 성인 속옷 손목 술집 슬픔 신체 실망 실수 실패 아가씨 아픔
애인 얼굴 엉덩이 영상 외로움 위험 위협 이혼 인터넷 입술 자극 잘못 잠옷 장례 재판 전쟁 절망 죄인 질병
처벌 총각 촬영 침대 침묵 침실 카메라 판결 표정 환자 희생
"""
CHINESE = """
乳 亡 伤 体 偷 像 凶 刀 刑 卖 哭 图 女 奴 奶 妇 妻 威 娘 婚 孤 害 尸 弹 强 录 影 怒 怕 性
怨 恐 恨 恶 悲 惨 打 拍 摄 暴 杀 枪 欲 死 残 毁 毒 泪 灭 灾 炮 炸 爆 片 狂 狗 独 狱 猪 男
疯 病 痛 监 盗 绝 罪 肉 胁 胎 胸 脱 腿 苦 药 藏 血 警 败 身 迫 逼 错 难 露 骂 骗 鬼
"""

WORDS = {"en": ENGLISH.split(), "ko": KOREAN.split(), "zh-hans": CHINESE.split()}
