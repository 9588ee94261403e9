/** 錄影清單的繁體中文文字。 */
export default {
  "recordings.title": "錄影",
  "recordings.filter": "搜尋標題、人名和談話內容",
  "recordings.empty": "還沒有錄影",
  "recordings.empty-hint": "開始會議並按「錄影」，錄影一開始就會出現在這裡。",
  "recordings.no-match": "沒有符合的錄影。",
  "recordings.no-match-hint": "每個詞都必須出現在同一部錄影的標題、人名或談話內容中。請減少或縮短搜尋的詞。",
  "recordings.found": "找到 {count} 部錄影",
  "recordings.more": "顯示更多",
  "recordings.database-waiting": "資料庫目前沒有回應。資料不會遺失，一恢復伺服器就會寫入。",
  "recordings.count": "共 {count} 部錄影",
  "recordings.live-lost": "即時更新中斷，正在重試…",
  "recordings.untitled": "未命名",
  "recordings.no-people": "沒有人",
};
