/** 語音轉文字的選項，正體中文。 */

export default {
  "option.whisper-beam_size": "仔細程度",
  "option.whisper-beam_size-hint": "同時比較幾種可能的聽法：越多越準一些，也越慢。",
  "option.whisper-names": "留意姓名",
  "option.whisper-names-hint": "與會者的姓名照會議中的寫法書寫。",
  "option.whisper-text_before": "參考前文",
  "option.whisper-text_before-hint": "有時較準，但錯誤可能重複出現。",
  "option.whisper-word_times": "字詞時間",
  "option.whisper-word_times-hint": "除了每段話，也保留每個字詞的時間。",
  "option.whisper-guard": "不憑空捏造",
  "option.whisper-guard-hint": "略去看似捏造的內容：沒有人聲之處、不斷重複的字句、字幕署名。",
  "option.whisper-expected": "預期的語言",
  "option.whisper-expected-hint": "自動辨別語言時只考慮這些，例如 zh, en, ja；留空則考慮所有語言。",
};
